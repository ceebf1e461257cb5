// Keys. data-key="n" on a link, a button or a field: that key presses or focuses it. In a list with data-rows, j and k
// walk through the rows, x ticks one, and data-row-key="c" within a row is pressed by that key. "?" shows them all, and
// there they can be switched off (WCAG 2.1.4).

const OFF = "keys-off";
const help = document.querySelector("#keys");
const off = () => localStorage.getItem(OFF) !== null;
const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")].filter((each) => each.checkVisibility());

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && busy?.matches("[type=search]")) return leave(event, busy);
  if (busy || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?") show();
  else if (off() || !(walk(event) || press(event))) return;
  event.preventDefault();
});

// A search is left for its results as it stands; the browser would empty it, and keep the keys to itself.
function leave(event, field) {
  event.preventDefault();
  field.blur();
}

function walk({ key, target }) {
  const row = target.closest("[data-row]");
  const all = rows();
  const next = { j: all.indexOf(row) + 1, k: row ? all.indexOf(row) - 1 : all.length - 1 }[key];
  if (next !== undefined) return all[next] && focus(all[next]);
  return row && use(row.querySelector(key === "x" ? "input[type=checkbox]" : `[data-row-key="${CSS.escape(key)}"]`));
}

function press({ key }) {
  const named = `[data-key="${CSS.escape(key)}"]`; // what the page has for it comes before what the frame has
  return use(document.querySelector(`main ${named}`) ?? document.querySelector(named));
}

function focus(row) {
  const first = row.matches("a, button") ? row : row.querySelector("a, button, input");
  first.focus();
  first.scrollIntoView({ block: "nearest" });
  return true;
}

function use(element) {
  if (!element) return false;
  if (element.matches("input:not([type=checkbox]), textarea, select")) element.focus();
  else element.click();
  return true;
}

function show() {
  const list = help.querySelector("dl");
  const there = new Map();
  for (const each of document.querySelectorAll("[data-key], [data-row-key]")) {
    const words = each.dataset.keyWords || each.ariaLabel || each.labels?.[0]?.textContent || each.textContent;
    there.set(each.dataset.key || each.dataset.rowKey, words.trim());
  }
  const walks = rows().length ? JSON.parse(help.dataset.rows) : [];
  list.replaceChildren(...[...there, ...walks].flatMap(([key, words]) => [term(key), meaning(words)]));
  const box = help.querySelector("input");
  box.checked = !off();
  box.onchange = () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
  help.showModal();
}

function term(key) {
  const made = document.createElement("dt");
  made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
  return made;
}

function meaning(words) {
  return Object.assign(document.createElement("dd"), { textContent: words });
}
