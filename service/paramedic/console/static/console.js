// Keeps a page current: on every event the page is fetched again and its new main takes the place of the old one.
// Without this script the pages are complete; they only do not move by themselves.
(() => {
  "use strict";
  const main = document.getElementById("main");
  const state = document.getElementById("live");
  if (!main || !main.dataset.events || !window.EventSource) return;

  let busy = false;
  let again = false;
  let source = null;

  function say(words, stale) {
    if (state.textContent !== words) state.textContent = words;
    state.parentElement.classList.toggle("stale", stale);
  }

  function keepOpen(fresh) {
    for (const details of main.querySelectorAll("details[id]")) {
      const other = fresh.querySelector("#" + CSS.escape(details.id));
      if (other) other.open = details.open;
    }
  }

  function markNew(fresh) {
    for (const entry of fresh.querySelectorAll("li[id]")) {
      if (!document.getElementById(entry.id)) entry.classList.add("new");
    }
  }

  function put(page) {
    const fresh = page.getElementById("main");
    const focused = main.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && (focused.closest("[id]") || {}).id;
    const href = focused && focused.getAttribute("href");
    keepOpen(fresh);
    markNew(fresh);
    main.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    const time = document.querySelector(".live time");
    if (time) time.replaceWith(page.querySelector(".live time"));
    const home = place && document.getElementById(place);
    if (!home || place === "main") return;
    const same = [...home.querySelectorAll("a, summary")].find((one) => one.getAttribute("href") === href);
    (same || home).focus({ preventScroll: true });
  }

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      const live = source.readyState === EventSource.OPEN;
      say(live ? "Live, as of" : "Not live, connecting again. As of", !live);
    } catch {
      say("Not live, the service does not answer. As of", true);
    } finally {
      busy = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  }

  // A browser connects again by itself when a stream breaks, but not when it is refused: that is done here.
  function connect() {
    source = new EventSource(main.dataset.events);
    source.addEventListener("changed", refresh);
    source.addEventListener("open", refresh);
    source.addEventListener("error", () => {
      say("Not live, connecting again. As of", true);
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
    });
  }
  connect();

  // Ages go stale even when nothing happens.
  setInterval(() => {
    if (!document.hidden) refresh();
  }, 60000);
})();
