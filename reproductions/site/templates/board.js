"use strict";
// Filters and sorts the cells; both stand in the address (#paper=…&verdict=…&text=…&sort=-published), so that a
// selection can be linked. A minus sorts from the highest value down; without a key the order is the page's own.
const form = document.getElementById("filters");
const body = document.querySelector("#cells tbody");
const rows = [...body.rows];
const heads = [...document.querySelectorAll("#cells thead th")];
let order = "";

for (const head of heads.filter((head) => head.dataset.key)) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    order = { [head.dataset.key]: `-${head.dataset.key}`, [`-${head.dataset.key}`]: "" }[order] ?? head.dataset.key;
    show();
  });
}

function sorted() {
  const column = heads.findIndex((head) => head.dataset.key === order.replace(/^-/, ""));
  if (column < 0) return rows;
  const sign = order.startsWith("-") ? -1 : 1;
  const value = ({ cells }) => {
    const { dataset, textContent } = cells[column];
    if (dataset.value === undefined) return textContent.trim();
    return dataset.value && Number(dataset.value);
  };
  return rows.toSorted((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === "" || second === "") return (first === "") - (second === "");  // not measured: last in both directions
    return sign * (typeof first === "number" ? first - second : first.localeCompare(second, "en", { numeric: true }));
  });
}

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
  body.append(...sorted());
  for (const head of heads.filter((head) => head.dataset.key)) {
    const direction = { [head.dataset.key]: "ascending", [`-${head.dataset.key}`]: "descending" }[order] ?? "none";
    head.setAttribute("aria-sort", direction);
  }
  document.getElementById("count").textContent = `${shown} of ${rows.length} cells`;
  const kept = new URLSearchParams(Object.entries({ ...wanted, sort: order }).filter(([, value]) => value));
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname);
}

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of ["paper", "verdict", "text"]) form.elements[name].value = wanted.get(name) ?? "";
  order = wanted.get("sort") ?? "";
  show();
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { order = ""; show(); }));
window.addEventListener("hashchange", () => { read(); form.scrollIntoView(); });
if (location.hash) form.scrollIntoView();
read();
