// The browser's history: one entry for a page, and one for what is opened over it (workbench/widgets/shared/session.py).
//
// Streamlit adds an entry each time the server writes the address, so that a page which completes its address would
// stand in the history twice and Back would stay on it. Here a change of the address within a page rewrites the entry.
// The entry also remembers how far the page was scrolled.
(() => {
  const STEP = "step"; // "page": the address of the next page, sent while this one is open; "open": an entry of its own
  const SCROLLS = '[data-testid="stMain"]';
  const PATIENCE = 8000; // milliseconds in which a page that comes back has certainly grown to its height
  const STILL = 5; // looks, a tenth of a second apart
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);

  const name = () => `${Date.now()}-${Math.random()}`;
  const key = () => `patchcore.scroll:${history.state?.patchcore ?? ""}`;

  function changed(url, otherwise) {
    const to = new URL(url ?? location.href, location.href);
    const step = to.searchParams.get(STEP);
    to.searchParams.delete(STEP);
    if (to.pathname === location.pathname && step === "page") return;
    if (step === "open" || (otherwise === push && to.pathname !== location.pathname)) {
      push({ patchcore: name() }, "", to);
    } else {
      replace({ patchcore: history.state?.patchcore ?? name() }, "", to);
    }
  }

  history.pushState = (state, title, url) => changed(url, push);
  history.replaceState = (state, title, url) => changed(url, replace);

  // A page that is taken away scrolls as well: only what still belongs to the same entry a moment later is kept.
  let settling, coming;
  function scrolled(event) {
    const main = event.target;
    if (coming || !main.matches?.(SCROLLS)) return;
    const entry = key();
    const top = main.scrollTop;
    clearTimeout(settling);
    settling = setTimeout(() => {
      if (key() === entry && !coming) store(entry, top);
    }, 250);
  }

  function store(entry, top) {
    try {
      sessionStorage.setItem(entry, String(Math.round(top)));
    } catch {
      // storage may be closed to us; the page then begins at its top
    }
  }

  function stored() {
    try {
      return Number(sessionStorage.getItem(key()));
    } catch {
      return 0;
    }
  }

  function stopComing() {
    clearInterval(coming);
    coming = undefined;
  }

  function bringScrollBack() {
    stopComing();
    const wanted = stored();
    if (!(wanted > 0)) return;
    const until = performance.now() + PATIENCE;
    let there = 0;
    coming = setInterval(() => {
      const main = document.querySelector(SCROLLS);
      const tall = main && main.scrollHeight - main.clientHeight >= wanted;
      // The page that is left may be as high: only a position that outlasts the drawing counts.
      const drawn = document.querySelector(".stApp")?.dataset.testScriptState === "notRunning";
      there = tall && drawn && Math.abs(main.scrollTop - wanted) < 1 ? there + 1 : 0;
      if (tall) main.scrollTop = wanted;
      if (there > STILL || performance.now() > until) stopComing();
    }, 100);
  }

  for (const act of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    addEventListener(act, stopComing, { capture: true, passive: true });
  }
  addEventListener("scroll", scrolled, { capture: true, passive: true });
  addEventListener("popstate", bringScrollBack);
  if (!history.state?.patchcore) replace({ patchcore: name() }, "", location.href);
  bringScrollBack();
})();
