"use strict";
// Filters the cells; the filters stand in the address (#paper=…&verdict=…&text=…), so that a selection can be linked.
const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("#cells tbody tr")];

function show() {
  const wanted = Object.fromEntries(new FormData(form));
  const text = wanted.text.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (!wanted.paper || row.dataset.paper === wanted.paper)
      && (!wanted.verdict || row.dataset.verdict === wanted.verdict)
      && (!text || row.textContent.toLowerCase().includes(text));
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown} of ${rows.length} cells`;
  const kept = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname);
}

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of ["paper", "verdict", "text"]) form.elements[name].value = wanted.get(name) ?? "";
  show();
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(show));
window.addEventListener("hashchange", read);
read();
