// Tables that can be sorted by their heads, and of wide ones only the columns in sight are made.

const WIDE = 40;
const COLUMN_PX = 150;
const CELLS_AT_ONCE = 600;

/** A table in a region that scrolls: its caption, a line of heads where there is one, and its bodies or lines. */
function framed(id, kind, caption, heads, bodies) {
  const table = el(
    "table",
    { class: kind, id },
    el("caption", { id: id + "-caption" }, el("span", {}, caption)),
    heads ? el("thead", {}, el("tr", {}, heads)) : null,
    bodies,
  );
  return el("div", { class: "scroll", role: "region", "aria-labelledby": id + "-caption", tabindex: "0" }, table);
}

/** A table with `heads`, the first of which stays in sight. */
function plainTable(id, caption, heads, rows, kind = "numbers") {
  const [first, ...others] = heads;
  const cells = [
    el("th", { scope: "col", class: "model" }, first),
    others.map((text) => el("th", { scope: "col" }, text)),
  ];
  return framed(id, kind, said(caption), cells, el("tbody", {}, rows));
}

/**
 * A table that is sorted by its heads. `columns`: `{id, names, head, value, cell}` with `head` nodes, `value(row)` what
 * it is sorted by (null goes last; absent where it cannot be sorted), `cell(row)` a td or th; the first stays in sight.
 * `rows`: any values. `detail` stands below a head that sorts: nodes, or a function that makes them when they are seen.
 * `param` of the address holds what a column is called there (see `addressed`), with "-" before it for falling;
 * `usual` is that where it holds nothing that there is. `firstDirection`: "-" where most is best.
 */
function sortedTable({ id, caption, columns: given, rows, usual = "", kind = "numbers", param = "sort-" + id }) {
  const columns = addressed(given);
  const [asked] = [place().params.get(param) || "", usual].filter((sort) => columnOf(columns, sort));
  const sort = asked || "";
  const order = sortedRows(columns, rows, sort);
  if (columns.length <= WIDE) return framed(id, kind, caption, headCells(columns, sort, param), body(columns, order));
  const region = framed(id, kind + " wide", caption, null, null);
  windowed(region, region.firstElementChild, columns, order, sort, param);
  return region;
}

/**
 * Columns, `id` being what an address calls each: the first of its `names`, each of which is more exact than the one
 * before, that no other column has too; its own id where there is none.
 */
function addressed(columns) {
  const namesOf = ({ id, names = [] }) => [...new Set([...names, id].map(wellFormed))];
  const times = new Map();
  for (const one of columns.flatMap(namesOf)) times.set(one, (times.get(one) || 0) + 1);
  const isOwn = (one) => one !== "" && !one.startsWith("-") && times.get(one) === 1;
  return columns.map((column) => ({ ...column, id: namesOf(column).find(isOwn) ?? wellFormed(column.id) }));
}

function columnOf(columns, sort) {
  return columns.find((one) => one.id === sort.replace(/^-/, "") && one.value);
}

function sortedRows(columns, rows, sort) {
  const falls = sort.startsWith("-");
  const column = columnOf(columns, sort);
  if (!column) return rows;
  const sign = falls ? -1 : 1;
  const keys = new Map(rows.map((row) => [row, column.value(row)]));
  const isMissing = (key) => key === null || key === undefined;
  return [...rows].sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    if (isMissing(x) || isMissing(y)) return isMissing(x) - isMissing(y);
    return typeof x === "string" ? sign * x.localeCompare(y, locale) : sign * (x - y);
  });
}

function headCells(columns, sort, param) {
  return columns.map((column) => headCell(column, sort, param));
}

function headCell(column, sort, param) {
  const isHere = column.value && sort.replace(/^-/, "") === column.id;
  const state = isHere ? (sort.startsWith("-") ? "descending" : "ascending") : null;
  const cell = el("th", { scope: "col", class: column.kind || null, "aria-sort": state });
  if (!column.value) return fill(cell, {}, [column.head]);
  const first = column.firstDirection || "";
  const next = isHere ? (sort.startsWith("-") ? column.id : "-" + column.id) : first + column.id;
  const button = el(
    "button",
    { type: "button", class: "sort", id: ["head", param, encodeURIComponent(column.id)].join("-") },
    column.head,
  );
  button.addEventListener("click", () => go(changed({ [param]: next })));
  const arrow = el(
    "span",
    { class: "arrow", "aria-hidden": "true" },
    state === null ? "↕" : state === "descending" ? "↓" : "↑",
  );
  button.append(arrow);
  return add(cell, button, typeof column.detail === "function" ? column.detail() : column.detail);
}

function body(columns, rows) {
  return filled(el("tbody"), rows, columns.length, (row) =>
    el(
      "tr",
      {},
      columns.map((column) => column.cell(row)),
    ),
  );
}

/** `element` with a line for each row: the first at once, those further down a moment later, so that none waits long. */
function filled(element, rows, width, line) {
  const step = Math.max(10, Math.ceil(CELLS_AT_ONCE / width));
  const more = (from) => {
    if (from && !element.isConnected) return; // sorted anew in the meantime
    element.append(...rows.slice(from, from + step).map(line));
    if (from + step < rows.length) setTimeout(() => more(from + step));
  };
  more(0);
  return element;
}

// Of a wide table the first column and those in sight; the space of the others is kept by two empty cells.
function windowed(region, table, columns, rows, sort, param) {
  const [first, ...others] = columns;
  table.setAttribute("aria-colcount", columns.length);
  const filler = (px, tag) => {
    const cell = el(tag, { class: "filler", "aria-hidden": "true" });
    cell.style.minWidth = cell.style.width = px + "px";
    return cell;
  };
  let [from, width] = [-1, 0];
  function draw() {
    width = region.clientWidth;
    const seen = Math.ceil((width || 1200) / COLUMN_PX) + 4;
    const at = Math.max(0, Math.min(others.length - seen, Math.floor(Math.abs(region.scrollLeft) / COLUMN_PX) - 2));
    if (at === from) return;
    from = at;
    const part = others.slice(at, at + seen);
    const [before, after] = [at * COLUMN_PX, Math.max(0, others.length - at - seen) * COLUMN_PX];
    const numbered = (cell, index) => fill(cell, { "aria-colindex": at + index + 2 }, []);
    const heads = el(
      "tr",
      {},
      headCell(first, sort, param),
      filler(before, "td"),
      part.map((column, index) => numbered(headCell(column, sort, param), index)),
      filler(after, "td"),
    );
    const line = (row) =>
      el(
        "tr",
        {},
        first.cell(row),
        filler(before, "td"),
        part.map((column, index) => numbered(column.cell(row), index)),
        filler(after, "td"),
      );
    const held = table.contains(document.activeElement) ? document.activeElement.id : "";
    for (const old of table.querySelectorAll("thead, tbody")) old.remove();
    table.append(el("thead", {}, heads), filled(el("tbody"), rows, seen, line));
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
  }
  region.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  region.addEventListener("page-moved", draw);
  new ResizeObserver(() => {
    if (region.clientWidth === width) return;
    from = -1;
    draw();
  }).observe(region);
  draw();
}
