// Keeps the page up to date. The page also works without it, but is then reloaded by hand.
"use strict";

const main = document.getElementById("main");
const announcement = document.getElementById("announcement");
const connection = document.getElementById("connection");
const kind = main.dataset.page;
// With more changed accounts than this, the whole page is fetched.
const MOST_FRAGMENTS = 20;
// The server sends a heartbeat every 15 seconds.
const TIMEOUT = 40000;

/* Times: the element keeps the time stamp, the text shows it relative to now. */

// The server's clock minus the browser's.
let clockOffset = 0;
const summaryOf = (root) => root.querySelector("#summary");
const syncClock = (stamp) => { if (stamp) clockOffset = Date.parse(stamp) - Date.now(); };

function relative(milliseconds) {
    const seconds = Math.round(Math.abs(milliseconds) / 1000);
    const [count, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"]
        : seconds < 86400 ? [Math.floor(seconds / 3600), "h"] : [Math.floor(seconds / 86400), "d"];
    return milliseconds > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

function tick() {
    const now = Date.now() + clockOffset;
    for (const time of document.getElementsByTagName("time")) {
        const left = Date.parse(time.dateTime) - now;
        if (Number.isNaN(left)) continue;
        // A check that is due is running.
        const next = time.dataset.role === "next";
        const text = next && left <= 0 ? "now" : relative(next ? left : Math.min(left, 0));
        if (time.textContent !== text) time.textContent = text;
        if (!time.title) time.title = new Date(time.dateTime).toLocaleString();
    }
}

function setTime(element, role, stamp) {
    if (!stamp) return;
    for (const time of element.querySelectorAll(`time[data-role="${role}"]`)) {
        time.dateTime = stamp;
        time.title = "";
    }
}

/* Merging: elements with another fingerprint are replaced; expanded parts and the focus are kept. */

const items = () => new Map([...main.querySelectorAll("li[data-account]")].map((item) => [item.dataset.account, item]));

function focusable(root) {
    return [...root.querySelectorAll("a[href], summary, button, input, [tabindex]")];
}

function replace(before, after) {
    for (const part of before.querySelectorAll("details[data-key]")) {
        const same = after.querySelector(`details[data-key="${part.dataset.key}"]`);
        if (same) same.open = part.open;
    }
    const active = document.activeElement;
    const within = before.contains(active) ? focusable(before) : [];
    const label = (element) => element.closest("details")?.dataset.key ?? element.className;
    before.replaceWith(after);
    if (within.length === 0) return;
    const candidates = focusable(after);
    const twin = candidates.find((element) => element.tagName === active.tagName && label(element) === label(active));
    (twin ?? candidates[within.indexOf(active)] ?? candidates[0] ?? main).focus({ preventScroll: true });
}

const order = (a, b) => a.dataset.rank - b.dataset.rank
    || (a.dataset.account < b.dataset.account ? -1 : a.dataset.account > b.dataset.account ? 1 : 0);

function place(item) {
    const list = document.getElementById(item.dataset.list) ?? document.getElementById("attention");
    const next = [...list.children].find((other) => other !== item && order(item, other) < 0) ?? null;
    if (item.parentElement === list && item.nextElementSibling === next) return;
    const focused = item.contains(document.activeElement) ? document.activeElement : null;
    // A hidden element cannot be focused.
    list.classList.remove("empty");
    list.insertBefore(item, next);
    focused?.focus({ preventScroll: true });
}

function merge(text, whole) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const [summary, before] = [summaryOf(fresh), summaryOf(main)];
    if (summary && before) {
        // A filtered page keeps its own links.
        syncClock(summary.dataset.now);
        replace(before, document.adoptNode(summary));
    }
    document.title = fresh.title;
    main.querySelector("h1").textContent = fresh.querySelector("h1").textContent;
    const known = items();
    const changes = [];
    const seen = new Set();
    for (const item of fresh.querySelectorAll("li[data-account]")) {
        const name = item.dataset.account;
        seen.add(name);
        const old = known.get(name);
        if (old && old.dataset.fingerprint === item.dataset.fingerprint) continue;
        const now = document.adoptNode(item);
        if (old) {
            if (old.dataset.state !== now.dataset.state) changes.push(`${name}: ${now.dataset.state}`);
            replace(old, now);
        } else {
            changes.push(`${name}: ${now.dataset.state}`);
        }
        place(now);
    }
    if (whole) for (const [name, item] of known) if (!seen.has(name)) resetTime(item);
    filter();
    tick();
    if (changes.length > 3) announcement.textContent = `${changes.length} accounts changed`;
    else if (changes.length > 0) announcement.textContent = changes.join(", ");
}

function resetTime(item) {
    if (item.contains(document.activeElement)) main.focus({ preventScroll: true });
    item.remove();
}

/* Fetching: one request at a time; what changes meanwhile is fetched afterwards. */

let pending = null;
let busy = false;

async function fetchNext() {
    if (busy || !pending) return;
    const { names, whole } = pending;
    pending = null;
    busy = true;
    try {
        const filtered = location.search !== "";
        const all = whole || kind === "account" || filtered || names.size > MOST_FRAGMENTS;
        const url = all ? location.href : "/fragments?accounts=" + encodeURIComponent([...names].join("\n"));
        const answer = await fetch(url, { headers: { accept: "text/html" } });
        if (answer.ok) merge(await answer.text(), all && kind === "overview");
        else if (kind === "account" && answer.status === 404) showConnection("This account is no longer watched.", true);
    } catch {
        // The event source notices the lost connection, too; its next first event lists all accounts.
    }
    busy = false;
    fetchNext();
}

function enqueue(names, whole) {
    pending ??= { names: new Set(), whole: false };
    names.forEach((name) => pending.names.add(name));
    pending.whole ||= whole;
    fetchNext();
}

/* The connection. */

function showConnection(text, alarming) {
    if (connection.textContent !== text) connection.textContent = text;
    connection.classList.toggle("disconnected", alarming);
}

function applyUpdate(event) {
    const update = JSON.parse(event.data);
    syncClock(update.at);
    const known = items();
    const changed = [];
    const here = new Set();
    for (const [name, fingerprint, check, next] of update.accounts) {
        here.add(name);
        const item = known.get(name);
        if (!item && kind === "account") continue;
        if (!item || item.dataset.fingerprint !== fingerprint) { changed.push(name); continue; }
        setTime(item, "check", check);
        setTime(item, "next", next);
    }
    const summary = summaryOf(main);
    if (summary) setTime(summary, "read", update.read);
    for (const [name, item] of known) {
        if ((update.removed.includes(name) || update.all && !here.has(name)) && kind === "overview") resetTime(item);
    }
    const countsChanged = update.removed.length > 0 || summary && summary.dataset.fingerprint !== update.source;
    // A filtered page ignores accounts that it does not show.
    const filtered = location.search !== "" && update.all;
    const shown = filtered ? changed.filter((name) => known.has(name)) : changed;
    if (shown.length > 0 || countsChanged && kind === "overview") enqueue(shown, false);
    tick();
}

let source = null;
let lastEvent = Date.now();

function connect() {
    source?.close();
    source = new EventSource("/api/events");
    const alive = () => { lastEvent = Date.now(); showConnection("Live", false); };
    source.addEventListener("state", (event) => { alive(); applyUpdate(event); });
    source.addEventListener("beat", (event) => { alive(); syncClock(event.data); });
    source.addEventListener("error", () => {
        const at = new Date(lastEvent).toLocaleTimeString();
        showConnection(`Connection lost; last update at ${at}. Reconnecting …`, true);
        // The browser does not reconnect by itself after an error response.
        if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
    lastEvent = Date.now();
}

/* The filter: applied while the user types, without a request. */

const search = document.getElementById("q");

function filter() {
    if (!search) return;
    const query = search.value.trim().toLowerCase();
    let shown = 0;
    for (const [name, item] of items()) {
        item.hidden = !name.toLowerCase().includes(query) && !item.dataset.state.toLowerCase().includes(query);
        if (!item.hidden) shown += 1;
    }
    for (const list of main.querySelectorAll("#attention, #in-sync")) {
        list.classList.toggle("empty", [...list.children].every((item) => item.hidden));
    }
    document.getElementById("found").textContent = query ? `${shown} found` : "";
}

search?.addEventListener("input", filter);
document.getElementById("filter")?.addEventListener("submit", (event) => {
    // The list is filtered already; submitting would drop the state filter from the address.
    event.preventDefault();
    filter();
});

syncClock(summaryOf(main)?.dataset.now);
filter();
tick();
setInterval(tick, 1000);
setInterval(() => { if (Date.now() - lastEvent > TIMEOUT) connect(); }, 5000);
connect();
