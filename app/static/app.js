// SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
// SPDX-License-Identifier: Apache-2.0
// Keeps what changes on a page up to date. Every page works without it.
"use strict";

(function () {
  const live = document.getElementById("live");
  if (!live || !window.fetch || !window.DOMParser) {
    return;
  }
  const seconds = Number(live.dataset.refresh) || 5;

  // What somebody is typing into, has opened or selected must not be replaced under their hands.
  function inUse() {
    const selection = window.getSelection();
    return (
      live.contains(document.activeElement) ||
      live.querySelector("details[open]") !== null ||
      (selection && !selection.isCollapsed)
    );
  }

  async function refresh() {
    if (document.hidden || inUse()) {
      return;
    }
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      live.classList.toggle("stale", !answer.ok || !fresh);
      if (answer.ok && fresh && !inUse() && fresh.innerHTML !== live.innerHTML) {
        live.replaceChildren(...fresh.childNodes);
      }
    } catch (error) {
      live.classList.add("stale");
    }
  }

  window.setInterval(refresh, seconds * 1000);
})();
