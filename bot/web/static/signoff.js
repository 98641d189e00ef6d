// What the pages do beyond HTML: local times, countdowns, keys, forms sent once, copying. All of it may be missing.
"use strict";
(() => {
  const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const inWords = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  function twoUnits(seconds) {
    const parts = [];
    for (const [unit, size] of UNITS) {
      const count = Math.floor(seconds / size);
      if (count || parts.length) parts.push(count ? `${count}\u00a0${unit}` : "");
      seconds -= count * size;
      if (parts.length === 2) break;
    }
    return parts.filter(Boolean).join(" ") || "0\u00a0s";
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showTimes() {
    for (const element of document.querySelectorAll("time[data-moment]")) {
      const utc = element.dateTime;
      if (!element.title) element.title = utc;
      write(element, inWords.format(new Date(utc)));
    }
    for (const element of document.querySelectorAll("time[data-countdown]")) {
      const left = Math.floor((new Date(element.dateTime) - Date.now()) / 1000);
      write(element, left > 0 ? `${twoUnits(left)} left` : "time is up");
      element.classList.toggle("soon", left < 900);
    }
  }

  // On a narrow screen rows of links scroll sideways; what is chosen begins in sight.
  function showChosen() {
    for (const link of document.querySelectorAll("nav [aria-current]")) {
      const row = link.parentElement;
      row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
    }
  }

  function isTyping(target) {
    return target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  }

  function move(by) {
    const items = [...document.querySelectorAll("[data-item]")];
    const here = items.findIndex((item) => item.contains(document.activeElement));
    const next = items[here < 0 ? (by > 0 ? 0 : items.length - 1) : here + by];
    if (!next) return;
    next.querySelector("h2 a, a, button")?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "j") return move(1);
    if (event.key === "k") return move(-1);
    if (event.key === "x") {
      document.activeElement?.closest("[data-item]")?.querySelector("[data-key=x]")?.click();
    } else if (event.key === "a" || event.key === "r") {
      // Focuses and never presses: a vote takes a second, deliberate key.
      document.querySelector(`button[data-key=${event.key}]`)?.focus();
    } else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  }

  // Buttons are not disabled: a disabled button would not send its name and value.
  function onSubmit(event) {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    (event.submitter ?? form).setAttribute("aria-busy", "true");
  }

  function letSendAgain(event) {
    for (const form of document.querySelectorAll("form:has([data-asked])")) showChanges(form);
    for (const form of document.querySelectorAll("form[data-answers]")) demandAnswers(form);
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const busy of document.querySelectorAll("[aria-busy]")) busy.removeAttribute("aria-busy");
  }

  // Control, format and other invisible characters, which would let one value look like another.
  function visible(text) {
    return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (it) => (it === "\n" ? it : `\u27e8U+${it.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`));
  }

  function showChanges(form) {
    const inputs = [...form.querySelectorAll("[data-asked]")];
    for (const input of inputs) {
      const shown = input.parentElement.querySelector("output.difference");
      shown.hidden = input.value === input.dataset.asked;
      write(shown.querySelector("del"), visible(input.dataset.asked));
      write(shown.querySelector("ins"), visible(input.value));
    }
    const isChanged = inputs.some((input) => input.value !== input.dataset.asked);
    for (const words of form.querySelectorAll("[data-when-changed]")) words.hidden = !isChanged;
    for (const words of form.querySelectorAll("[data-when-asked]")) words.hidden = isChanged;
  }

  function onInput(event) {
    if (event.target.matches("[data-asked]")) showChanges(event.target.form);
    if (event.target.matches("[data-answers] [name=choice]")) demandAnswers(event.target.form);
  }

  // Where radios choose the answer only consent needs the inputs: the browser checks them for nothing else.
  function demandAnswers(form) {
    const chosen = form.querySelector("[name=choice]:checked");
    form.noValidate = Boolean(chosen) && chosen.value !== "approve";
  }

  async function onClick(event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      write(button, "Copied");
    } catch {
      window.getSelection().selectAllChildren(source);
    }
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("input", onInput);
  document.addEventListener("click", onClick);
  window.addEventListener("pageshow", letSendAgain);
  document.addEventListener("htmx:after:swap", showTimes);
  setInterval(showTimes, 1000);
  showTimes();
  showChosen();
})();
