// SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
// SPDX-License-Identifier: Apache-2.0
// Keeps what changes on a page up to date and says what has changed. Every page works without it.
"use strict";

(function () {
  const errors = document.getElementById("errors");
  if (errors) {
    errors.focus();
  }

  const live = document.getElementById("live");
  if (!live || !window.fetch || !window.DOMParser) {
    return;
  }
  const seconds = Number(live.dataset.refresh) || 5;
  const said = document.getElementById("said");
  const stale = document.getElementById("stale");

  // Only what differs is replaced, so that focus, opened parts and typed text stay.
  function bring(old, fresh) {
    if (old.isEqualNode(fresh)) {
      return;
    }
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && name !== "open") {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of Array.from(fresh.attributes)) {
      if (old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
    bringChildren(old, fresh);
  }

  // Rows and other parts with a key are found again by it, wherever they have moved to.
  function bringChildren(old, fresh) {
    const byKey = new Map();
    for (const child of old.children) {
      if (child.dataset.key) {
        byKey.set(child.dataset.key, child);
      }
    }
    let at = old.firstChild;
    for (const wanted of Array.from(fresh.childNodes)) {
      const key = wanted.dataset && wanted.dataset.key;
      const kept = key ? byKey.get(key) : at && !(at.dataset && at.dataset.key) ? at : null;
      if (!kept) {
        old.insertBefore(wanted.cloneNode(true), at);
        continue;
      }
      if (kept === at) {
        at = at.nextSibling;
      } else {
        old.insertBefore(kept, at);
      }
      bring(kept, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // What the page marks as worth saying, by name; times and percentages are not.
  function news() {
    const found = new Map();
    for (const part of live.querySelectorAll("[data-say]")) {
      found.set(part.dataset.say, part.textContent.trim().replace(/\s+/g, " "));
    }
    return found;
  }

  async function refresh() {
    if (document.hidden || !window.getSelection().isCollapsed) {
      return;
    }
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      stale.hidden = answer.ok && Boolean(fresh);
      if (stale.hidden) {
        const before = news();
        bring(live, document.adoptNode(fresh));
        const changed = Array.from(news()).filter(([name, text]) => before.get(name) !== text);
        if (changed.length) {
          said.textContent = changed.map(([name, text]) => `${name}: ${text}`).join(". ");
        }
      }
    } catch (error) {
      stale.hidden = false;
    }
  }

  window.setInterval(refresh, seconds * 1000);
})();
