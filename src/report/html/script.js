// Filters, sorts, and opens what a link points into. Text goes into the page as text only, never as markup.
"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const byId = (id) => document.getElementById(id);

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);

  // Every keystroke of a fast typist need not be answered.
  function whenStill(work) {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(work, 60);
    };
  }

  // --- The table of all tests: only the rows that are looked at are built. ---
  const PAGE = 200;
  const OUTCOMES = [["skipped", "–", "quiet"], ["passed", "✓", "good"], ["failed", "✕", "bad"], ["error", "✕", "bad"]];

  function testTable() {
    const data = byId("test-data");
    if (!data) return { show: () => null };
    const { names, tests } = JSON.parse(data.textContent);
    const name = (at) => (at < 0 ? "" : names[at]);
    const all = tests.map(([id, own, prefix, file, line, outcome, flaky, seconds, check, attempts], order) => {
      const shown = prefix < 0 ? own : `${name(prefix)}::${own}`;
      const place = file < 0 ? "" : name(file) + (line ? `:${line}` : "");
      const text = `${shown} ${place} ${name(check)}`.toLowerCase();
      return { id, shown, place, outcome, flaky, seconds, attempts, check: name(check), order, text };
    });
    // Where all tests are one check's, its name on each row says nothing.
    const several = new Set(all.map((test) => test.check)).size > 1;
    const input = byId("test-filter");
    const body = byId("test-table").tBodies[0];
    const more = byId("test-more");
    const buttons = [...document.querySelectorAll("[data-outcome]")];
    const heads = [...document.querySelectorAll("[data-sort]")];
    const wanted = {
      all: () => true,
      failed: (test) => test.outcome > 1,
      flaky: (test) => test.flaky === 1,
      skipped: (test) => test.outcome === 0,
      passed: (test) => test.outcome === 1,
    };
    const sorts = {
      order: (a, b) => a.order - b.order,
      outcome: (a, b) => a.outcome - b.outcome,
      name: (a, b) => (a.shown < b.shown ? -1 : a.shown > b.shown ? 1 : 0),
      seconds: (a, b) => a.seconds - b.seconds,
    };
    let outcome = "all";
    let sort = "order";
    let direction = 1;
    let found = all;
    let built = 0;

    function row(test) {
      const [word, sign, tone] = OUTCOMES[test.outcome];
      const tr = element("tr");
      const badge = element("span", `badge ${tone}`);
      const mark = element("span", "", sign);
      mark.setAttribute("aria-hidden", "true");
      badge.append(mark, ` ${word}`);
      const first = element("td");
      first.append(badge);
      const label = element("code", "", test.shown);
      const second = element("td");
      if (byId(test.id)) {
        const link = element("a");
        link.href = `#${test.id}`;
        link.append(label);
        second.append(link);
      } else {
        tr.id = test.id;
        second.append(label);
      }
      const notes = [test.place, several && `check ${test.check}`, test.flaky && "flaky", test.attempts > 1 && `${test.attempts} attempts`];
      second.append(element("div", "place", notes.filter(Boolean).join(" · ")));
      tr.append(first, second, element("td", "n", `${test.seconds.toFixed(3)} s`));
      return tr;
    }

    function build(count) {
      const next = found.slice(built, built + count);
      body.append(...next.map(row));
      built += next.length;
      const rest = found.length - built;
      more.hidden = rest === 0;
      more.textContent = `Show ${Math.min(PAGE, rest)} more`;
      const of = found.length === all.length ? `${all.length} tests` : `${found.length} of ${all.length} tests`;
      byId("test-count").textContent = rest ? `${of}, the first ${built} shown` : of;
    }

    function update() {
      const words = wordsOf(input);
      found = all.filter((test) => wanted[outcome](test) && words.every((word) => test.text.includes(word)));
      // Sorting keeps the order of equals, so turning the direction turns the comparison, not the list.
      found.sort((a, b) => direction * sorts[sort](a, b));
      body.replaceChildren();
      built = 0;
      build(PAGE);
    }

    function choose(key) {
      outcome = key;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.outcome === key));
    }

    input.addEventListener("input", whenStill(update));
    more.addEventListener("click", () => {
      const first = built;
      build(PAGE);
      const next = body.rows[first];
      if (next && more.hidden) {
        next.tabIndex = -1;
        next.focus();
      }
    });
    for (const button of buttons) {
      button.addEventListener("click", () => {
        choose(button.dataset.outcome);
        update();
      });
    }
    for (const head of heads) {
      head.addEventListener("click", () => {
        const key = head.dataset.sort;
        // What is worst or slowest is looked for first.
        direction = sort === key ? -direction : key === "name" ? 1 : -1;
        sort = key;
        for (const other of heads) other.closest("th").setAttribute("aria-sort", "none");
        head.closest("th").setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        update();
      });
    }
    update();

    // Brings the row of a test into the page, alone, however many there are.
    function show(id) {
      const test = all.find((test) => test.id === id);
      if (!test) return null;
      choose("all");
      input.value = test.shown;
      update();
      return byId(id);
    }
    return { show };
  }

  // --- The coverage tree: already in the page, only ordered and hidden here. ---
  function fileTree() {
    const tree = byId("file-tree");
    if (!tree) return { showAll: () => {} };
    const input = byId("file-filter");
    const items = [...tree.querySelectorAll("li[data-missed]")];
    const nameOf = (item) => item.querySelector(".name").textContent;
    const percentOf = (item) => {
      const shown = parseFloat(item.querySelector(".row").children[2].textContent);
      return Number.isNaN(shown) ? 101 : shown;
    };
    const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const orders = {
      missed: (a, b) => b.missed - a.missed || byName(a, b),
      percent: (a, b) => a.percent - b.percent || byName(a, b),
      name: byName,
    };
    const buttons = [...document.querySelectorAll("[data-order]")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        for (const list of tree.querySelectorAll("ul")) {
          const rows = [...list.children].map((item) => {
            const known = item.dataset.missed !== undefined;
            // The line that counts what is not listed stays last.
            return known
              ? { item, missed: Number(item.dataset.missed), percent: percentOf(item), name: nameOf(item) }
              : { item, missed: -1, percent: 102, name: "\uffff" };
          });
          rows.sort(orders[button.dataset.order]);
          list.append(...rows.map((row) => row.item));
        }
      });
    }

    let paths;
    let opened = [];
    function pathOf(item) {
      const parts = [];
      for (let at = item; at && tree.contains(at); at = at.parentElement.closest("li")) parts.unshift(nameOf(at));
      return parts.join("").toLowerCase();
    }
    function update() {
      const words = wordsOf(input);
      paths ??= items.filter((item) => !item.querySelector("ul")).map((item) => [item, pathOf(item)]);
      // What only the last filter opened is folded again.
      for (const folder of opened) folder.open = false;
      opened = [];
      for (const item of items) item.hidden = words.length > 0;
      let count = 0;
      for (const [item, path] of paths) {
        if (!words.every((word) => path.includes(word))) continue;
        count += 1;
        for (let at = item; at && tree.contains(at); at = at.parentElement.closest("li")) {
          at.hidden = false;
          const folder = at.querySelector(":scope > details");
          if (folder && words.length > 0 && !folder.open) {
            folder.open = true;
            opened.push(folder);
          }
        }
      }
      byId("file-count").textContent = words.length ? `${count} of ${paths.length} files` : `${paths.length} files`;
    }
    input.addEventListener("input", whenStill(update));
    update();
    return {
      showAll: () => {
        if (!input.value) return;
        input.value = "";
        update();
      },
    };
  }

  const tests = testTable();
  const files = fileTree();

  // --- A link into something folded opens it. ---
  let here;
  function reveal() {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch {
      // Not an encoding: taken as it stands.
    }
    if (!id) return;
    let target = byId(id) ?? (id.startsWith("T-") ? tests.show(id) : null);
    // A line whose source is not in the page: its file at least.
    const line = /^L-(.*)-\d+$/.exec(id);
    if (!target && line) target = byId(`P-${line[1]}`) ?? byId(`F-${line[1]}`);
    if (!target && id.startsWith("P-")) target = byId(`F-${id.slice(2)}`);
    if (!target) return;
    if (target.closest("#file-tree")) files.showAll();
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    here?.classList.remove("here");
    if (!/^(H2|MAIN)$/.test(target.tagName)) {
      here = target;
      here.classList.add("here");
    }
    if (!target.hasAttribute("tabindex") && !target.matches("details, a, button, input")) target.tabIndex = -1;
    (target.matches("details") ? target.querySelector("summary") : target).focus({ preventScroll: true });
    target.scrollIntoView({ block: target.matches("tr, .row") ? "center" : "start" });
  }
  addEventListener("hashchange", reveal);
  // The same link a second time changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(reveal);
    const number = event.target.closest(".code td:first-child");
    if (number?.parentElement.id) location.hash = number.parentElement.id;
  });

  // --- Keys. ---
  document.addEventListener("keydown", (event) => {
    const inField = event.target.matches("input, textarea, select");
    const field = byId("test-filter") ?? byId("file-filter");
    if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey && field) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && inField && event.target.value) {
      event.preventDefault();
      event.target.value = "";
      event.target.dispatchEvent(new Event("input"));
    }
  });

  // --- Print what is folded, but not each folder of a large tree. ---
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((item) => !item.matches(".tree ul ul details"));
    for (const item of opened) item.open = true;
  });
  addEventListener("afterprint", () => {
    for (const item of opened) item.open = false;
    opened = [];
  });

  reveal();
})();
