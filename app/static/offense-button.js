// SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
// SPDX-License-Identifier: Apache-2.0
//
// For QRadar's page of an offense: what the button Restores does with the app's answer. QRadar's
// published samples give a button its offense only on pages for which the app names a script.

function safeguarded_restore_open(result) {
  const found = typeof result === "string" ? JSON.parse(result) : result;
  window.open(found.url, "_blank", "noopener");
}
