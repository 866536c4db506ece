// SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
// SPDX-License-Identifier: Apache-2.0
// Keeps what changes on a page up to date and says what has changed. Every page works without it.
"use strict";

(function () {
  document.documentElement.classList.add("scripted");

  // The place that the address names, else what the page is about to say; browsers that know
  // autofocus everywhere have done so already.
  const first =
    document.querySelector(":target[tabindex]") || document.querySelector("[autofocus]");
  if (first && first !== document.activeElement) {
    first.focus();
  }

  // Of fields that only one choice needs, those of the others are out of the way.
  for (const part of document.querySelectorAll("[data-only-for]")) {
    const [name, value] = part.dataset.onlyFor.split("=");
    const choices = document.querySelectorAll(`input[name="${name}"]`);
    const show = () => {
      part.hidden = !Array.from(choices).some((one) => one.checked && one.value === value);
    };
    for (const choice of choices) {
      choice.addEventListener("change", show);
    }
    show();
  }

  // Enter in a search field within a form searches, and in any other field of the form it saves.
  for (const field of document.querySelectorAll("[data-enter]")) {
    const first = field.form.querySelector("[data-enter-saves]");
    if (first) {
      first.name = "save";
    }
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        document.getElementById(field.dataset.enter).click();
      }
    });
  }

  // A form sends what was typed into it and nothing else: before what stands in another form is
  // lost, by that or by going elsewhere, the browser asks in its own words.
  let sent = null;
  document.addEventListener("submit", (event) => {
    sent = event.target;
  });
  window.addEventListener("beforeunload", (event) => {
    const left = Array.from(document.querySelectorAll("form[method=post]")).filter(
      (form) => form !== sent,
    );
    sent = null;
    if (left.some((form) => "unsaved" in form.dataset || isChanged(form))) {
      event.preventDefault();
      event.returnValue = "";
    }
  });

  function isChanged(form) {
    return Array.from(form.elements).some((one) => {
      if (one.options) {
        const chosen = Array.from(one.options).findIndex((option) => option.defaultSelected);
        return one.selectedIndex !== Math.max(chosen, 0);
      }
      if (one.type === "checkbox" || one.type === "radio") {
        return one.checked !== one.defaultChecked;
      }
      return "defaultValue" in one && one.value !== one.defaultValue;
    });
  }

  const live = document.getElementById("live");
  if (!live || !live.dataset.refresh || !window.fetch || !window.DOMParser) {
    return;
  }
  const seconds = Number(live.dataset.refresh) || 5;
  const patience = 12; // seconds; the app itself gives up on QRadar's console before
  const said = document.getElementById("said");
  const stale = document.getElementById("stale");
  const why = document.getElementById("why");
  const unknown = why.cloneNode(true);
  let asking = false;

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
    for (const part of document.querySelectorAll("#first [data-say], #live [data-say]")) {
      const words = part.dataset.words || part.textContent.trim().replace(/\s+/g, " ");
      found.set(part.dataset.say, words);
    }
    return found;
  }

  // The page as it would be now; null when nothing answers in time.
  async function ask() {
    const end = new AbortController();
    const timer = window.setTimeout(() => end.abort(), patience * 1000);
    try {
      const answer = await fetch(window.location.href, {
        credentials: "same-origin",
        headers: { "X-Refresh": "1" },
        signal: end.signal,
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return page.getElementById("live") || answer.ok ? page : null;
    } catch (error) {
      return null;
    } finally {
      window.clearTimeout(timer);
    }
  }

  // The page stays and says why it is not kept up: in the app's own words, where it has answered.
  function tell(page) {
    const told = page && page.querySelector("#live[data-problem] dl");
    const words = document.importNode(told || unknown, true);
    if (why.textContent !== words.textContent) {
      why.replaceChildren(words);
    }
    stale.hidden = false;
  }

  function show(page) {
    stale.hidden = true;
    if (!window.getSelection().isCollapsed) {
      return; // somebody is about to copy something
    }
    const before = news();
    for (const id of ["as-of", "first", "live"]) {
      bring(document.getElementById(id), page.getElementById(id));
    }
    const after = news();
    const changed = Array.from(after).filter(([name, text]) => before.get(name) !== text);
    // What is not on the page any more is not left standing for those who listen either.
    if (changed.length || Array.from(before.keys()).some((name) => !after.has(name))) {
      said.textContent = changed.map(([name, text]) => `${name}: ${text}`).join(". ");
    }
  }

  async function refresh() {
    if (asking || document.hidden) {
      return;
    }
    asking = true;
    const page = await ask();
    asking = false;
    const fresh = page && page.getElementById("live");
    const isProblem = fresh && "problem" in fresh.dataset;
    if ("problem" in live.dataset) {
      // What could not be shown is there now, whatever kind of page it is.
      if (page && !isProblem) {
        window.location.reload();
      } else if (page) {
        bring(live, fresh);
      }
    } else if (fresh && !isProblem) {
      show(page);
    } else {
      tell(page);
    }
  }

  window.setInterval(refresh, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
})();
