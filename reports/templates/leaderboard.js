"use strict";
// Views by hash address, and the list of samples.
(() => {
  const { MARKS, UNSEEN, codePoint, el, shown, prose, status, flags, turns, body } = SampleView;
  const VIEWS = ["board", "judged", "languages", "preference", "samples", "provenance"].filter((id) => document.getElementById(id));
  const PAGE = 200;
  const FILTERS = ["run", "task", "language", "status"];
  const byId = (id) => document.getElementById(id);
  const pageTitle = document.title;
  const scrolled = new Map();
  const sections = Object.fromEntries([...VIEWS, "sample"].filter(byId).map((name) => [name, byId(name)]));

  let samples = null;
  let runs = [];
  let places = new Map();
  let words = [];
  let chosen = [];
  let numShown = PAGE;
  let current = null;

  // -- data

  function load() {
    if (samples) return;
    ({ runs, samples } = JSON.parse(byId("samples-data").textContent));
    places = new Map(samples.map((sample, index) => [place(sample), index]));
    chosen = samples.map((_, index) => index);
    fillFilters();
  }

  function place(sample) {
    return runs[sample.run].id + "/" + sample.id.replace(/\p{Cs}/gu, "\ufffd");
  }

  function address(index) {
    return "#sample=" + encodeURIComponent(place(samples[index])).replace(/%3A/g, ":").replace("%2F", "/");
  }

  function haystack(index) {
    if (words[index] === undefined) {
      const sample = samples[index];
      const parts = [sample.id, sample.category, sample.target, sample.answer];
      for (const exchange of sample.exchanges) {
        parts.push(...turns(exchange.prompt).map((turn) => turn[1]));
        parts.push(...(exchange.rows || []).map((row) => row.text), (exchange.reply && exchange.reply.text) || "");
      }
      words[index] = parts.join("\n").toLowerCase();
    }
    return words[index];
  }

  // -- the list

  function fillFilters() {
    const flagged = [...new Set(samples.flatMap((sample) => sample.flags))].sort();
    const statuses = Object.keys(MARKS).filter((name) => samples.some((sample) => sample.status === name));
    const choices = {
      run: runs.map((run, index) => [String(index), run.name + " (" + run.id.slice(0, 8) + ")"]),
      task: [...new Set(samples.map((sample) => sample.task))].map((name) => [name, name]),
      language: [...new Set(samples.map((sample) => sample.language))].map((name) => [name, name]),
      status: [
        ...statuses.map((name) => [name, name]),
        ...(flagged.length ? [["flagged", "flagged"]] : []),
        ...flagged.map((name) => ["flag " + name, "flagged " + name]),
      ],
    };
    for (const name of FILTERS) {
      const select = byId("filter-" + name);
      select.append(el("option", { value: "" }, "all"));
      for (const [value, label] of choices[name]) {
        const option = el("option", {}, shown(label));
        option.value = value;
        select.append(option);
      }
      select.addEventListener("change", filter);
    }
    byId("filter-text").addEventListener("input", filter);
    byId("filters").hidden = false;
    byId("samples-more").addEventListener("click", () => {
      numShown += PAGE;
      showList();
    });
  }

  function filter() {
    const [run, task, language, state] = FILTERS.map((name) => byId("filter-" + name).value);
    const text = byId("filter-text").value.toLowerCase();
    chosen = samples
      .map((_, index) => index)
      .filter((index) => {
        const sample = samples[index];
        return (
          (run === "" || String(sample.run) === run) &&
          (task === "" || sample.task === task) &&
          (language === "" || sample.language === language) &&
          (state === "" || hasState(sample, state)) &&
          (text === "" || haystack(index).includes(text))
        );
      });
    numShown = PAGE;
    showList();
  }

  function hasState(sample, state) {
    if (state === "flagged") return sample.flags.length > 0;
    return state.startsWith("flag ") ? sample.flags.includes(state.slice(5)) : sample.status === state;
  }

  function showList() {
    byId("samples-count").textContent = chosen.length + " of " + samples.length + " samples";
    byId("samples-list").replaceChildren(...chosen.slice(0, numShown).map(listEntry));
    byId("samples-more").hidden = chosen.length <= numShown;
  }

  function listEntry(index) {
    const sample = samples[index];
    const facts = [runs[sample.run].name, sample.language, sample.category].filter(Boolean).join(" · ");
    return el(
      "li",
      {},
      el(
        "a",
        { href: address(index) },
        el("span", { class: "line" }, status(sample), el("bdi", { class: "id" }, shown(sample.id)), ...flags(sample)),
        prose(sample.excerpt, sample.promptLanguage, "span", "excerpt"),
        el("bdi", { class: "quiet" }, shown(facts)),
      ),
    );
  }

  // -- moving about

  function showSample(index) {
    const sample = samples[index];
    const others = samples.flatMap((other, at) => (other.id === sample.id && at !== index ? [at] : []));
    const links = others.map((at) => ({ href: address(at), name: runs[samples[at].run].name }));
    byId("sample-title").replaceChildren(el("bdi", {}, shown(sample.id)));
    byId("sample-body").replaceChildren(...body(sample, runs[sample.run].name, links));
    showSteps(index);
  }

  function order(index) {
    return chosen.includes(index) ? chosen : samples.map((_, at) => at);
  }

  function showSteps(index) {
    const list = order(index);
    const at = list.indexOf(index);
    byId("sample-place").textContent = at + 1 + " of " + list.length;
    for (const [id, to] of [["sample-previous", at - 1], ["sample-next", at + 1]]) {
      const link = byId(id);
      link.hidden = list[to] === undefined;
      if (!link.hidden) link.setAttribute("href", address(list[to]));
    }
  }

  function step(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !sections.sample || sections.sample.hidden) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const link = { j: byId("sample-next"), k: byId("sample-previous") }[event.key];
    if (link && !link.hidden) location.hash = link.getAttribute("href");
  }

  function sampleAt(hash) {
    try {
      return places.get(decodeURIComponent(hash.slice("sample=".length)));
    } catch {
      return undefined;
    }
  }

  function route() {
    const hash = location.hash.slice(1);
    const wantsSample = hash.startsWith("sample=") && VIEWS.includes("samples");
    if (wantsSample || (hash === "samples" && VIEWS.includes(hash))) load();
    const index = wantsSample ? sampleAt(hash) : undefined;
    const view = index !== undefined ? "sample" : wantsSample ? "samples" : VIEWS.includes(hash) ? hash : VIEWS[0];
    if (view === "samples" && !byId("samples-list").firstChild) showList();
    if (index !== undefined) showSample(index);
    show(view, index);
  }

  function show(view, index) {
    const isFirst = current === null;
    if (!isFirst) scrolled.set(current, window.scrollY);
    for (const [name, section] of Object.entries(sections)) section.hidden = name !== view;
    for (const link of document.querySelectorAll("header nav a")) {
      const isHere = link.getAttribute("href") === "#" + (view === "sample" ? "samples" : view);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const name = view === "sample" ? samples[index].id : byId(view + "-title").textContent;
    document.title = name.replace(UNSEEN, codePoint) + " · " + pageTitle;
    if (!isFirst && view === "sample") byId("sample-title").focus({ preventScroll: true });
    window.scrollTo(0, view === "samples" ? scrolled.get(view) || 0 : 0);
    current = view;
  }

  // A skip link names an element, not a view.
  window.addEventListener("hashchange", () => location.hash === "#main" || route());
  document.addEventListener("keydown", step);
  // A hash that names an element would scroll to it; without the ids, a view starts at the top of the page.
  for (const [name, section] of Object.entries(sections)) section.id = "view-" + name;
  history.scrollRestoration = "manual";
  route();
})();
