// Pages that show what changes hear of it from one stream, and ask again and again where there is none.
"use strict";
(() => {
  const RARELY = 60_000; // between two questions of a page that hears its news, and two tries at a stream
  const state = { stream: null, address: null, hears: false, asked: 0, waits: null, owed: false };
  const shown = () => document.querySelector("[data-news]");

  function close() {
    state.stream?.close();
    Object.assign(state, { stream: null, address: null, hears: false });
  }

  // Many things at once are one change: asked for at most twice a second, or as often as the part says.
  function renew() {
    const part = shown();
    if (!part || state.waits) return;
    const pause = state.asked + Number(part.dataset.pace ?? 500) - Date.now();
    state.waits = setTimeout(() => {
      state.waits = null;
      if (document.hidden || !shown()) return;
      state.owed = true;
      htmx.trigger(shown(), "news");
    }, Math.max(0, pause));
  }

  function onMessage(event) {
    const { type } = JSON.parse(event.data);
    if (type.startsWith(shown()?.dataset.of ?? "")) renew();
  }

  function onBegin() {
    state.hears = true;
    renew(); // what happened between the page and its stream
  }

  function onError() {
    state.hears = false;
    // While it only waits to come back, the browser tries by itself.
    if (state.stream?.readyState === EventSource.CLOSED) setTimeout(again, RARELY);
  }

  function again() {
    if (state.stream?.readyState === EventSource.CLOSED) close();
    follow();
  }

  // A page nobody looks at holds no stream.
  function follow() {
    const wanted = document.hidden ? null : (shown()?.dataset.news ?? null);
    if (wanted === state.address) return;
    close();
    if (!wanted) return;
    state.address = wanted;
    state.stream = new EventSource(wanted);
    for (const name of ["ready", "reset"]) state.stream.addEventListener(name, onBegin);
    state.stream.addEventListener("message", onMessage);
    state.stream.addEventListener("error", onError);
  }

  // While an answer is on its way htmx lets one question wait and drops the next: where a poll waits, the
  // news behind it is dropped, and the poll asks in its place.
  function onRequest(event) {
    if (!event.target.closest?.("[data-poll]")) return;
    const isPoll = event.detail.ctx.sourceEvent?.type === "every";
    const isEarly = state.hears && !state.owed && Date.now() - state.asked < RARELY;
    if (isPoll && (document.hidden || isEarly)) event.preventDefault();
    else Object.assign(state, { asked: Date.now(), owed: false });
  }

  // What was typed before htmx listened is searched all the same.
  function searchEarly() {
    for (const box of document.querySelectorAll("input[type=search]")) {
      if (box.value !== box.defaultValue) box.dispatchEvent(new Event("input", { bubbles: true }));
    }
    follow();
  }

  document.addEventListener("htmx:before:request", onRequest);
  // This file may have come after htmx had begun.
  if (document.querySelector("[data-htmx-powered]")) searchEarly();
  else document.addEventListener("htmx:after:process", searchEarly, { once: true });
  document.addEventListener("htmx:after:swap", follow);
  document.addEventListener("visibilitychange", follow);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && follow());
})();
