// Keeps a stand-in's page fresh: at every change the regions are fetched again and swapped.
const regions = () => document.querySelectorAll("[data-region]");

// On a phone the places of a page lie side by side: the chosen one is in the middle.
function center() {
  for (const rail of document.querySelectorAll("[data-rail]")) {
    const chosen = rail.querySelector("[aria-current]");
    if (!chosen) continue;
    const [all, one] = [rail, chosen].map((element) => element.getBoundingClientRect());
    rail.scrollLeft += one.left + one.width / 2 - (all.left + all.width / 2);
  }
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of regions()) {
    const next = fresh.querySelector(`[data-region="${old.dataset.region}"]`);
    if (!next) continue;
    // What somebody is typing into stays, unless the thing itself was replaced.
    if ("key" in old.dataset && old.dataset.key === next.dataset.key) continue;
    if (old.innerHTML === next.innerHTML) continue;
    const typing = old.contains(document.activeElement) && document.activeElement.matches("input,select,textarea");
    if (typing && !("key" in old.dataset)) continue;
    old.replaceWith(next);
    if ("follow" in next.dataset) next.lastElementChild?.scrollIntoView({ block: "nearest" });
    if ("rail" in next.dataset || next.querySelector("[data-rail]")) center();
  }
}

let busy = false;
let again = false;
async function changed() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  await refresh().catch(() => undefined);
  busy = false;
  if (again) {
    again = false;
    changed();
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.submit();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector(".modal header button")?.click();
});

document.querySelector(".modal :is(input:not([type=hidden]),textarea,select)")?.focus();
center();
document.querySelector("[data-follow]")?.lastElementChild?.scrollIntoView({ block: "nearest" });
new EventSource(document.body.dataset.changes).addEventListener("message", changed);
