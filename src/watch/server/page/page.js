// Keeps the page up to date. Without it the page is as good as when it was loaded.
"use strict";

const main = document.getElementById("main");
const news = document.getElementById("news");
const connection = document.getElementById("connection");
const kind = main.dataset.page;
// More accounts than this are fetched with the whole page.
const MANY = 20;
// The server says something every 15 seconds.
const SILENCE = 40000;

/* Times: the moment stays in the element, the text says how long ago or ahead that is. */

// The server's clock less this machine's.
let ahead = 0;
const summaryOf = (root) => root.querySelector("#summary");
const learnTime = (stamp) => { if (stamp) ahead = Date.parse(stamp) - Date.now(); };

function spoken(milliseconds) {
    const seconds = Math.round(Math.abs(milliseconds) / 1000);
    const [count, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"]
        : seconds < 86400 ? [Math.floor(seconds / 3600), "h"] : [Math.floor(seconds / 86400), "d"];
    return milliseconds > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

function tick() {
    const now = Date.now() + ahead;
    for (const time of document.getElementsByTagName("time")) {
        const left = Date.parse(time.dateTime) - now;
        if (Number.isNaN(left)) continue;
        // What is due is being done.
        const next = time.dataset.role === "next";
        const text = next && left <= 0 ? "now" : spoken(next ? left : Math.min(left, 0));
        if (time.textContent !== text) time.textContent = text;
        if (!time.title) time.title = new Date(time.dateTime).toLocaleString();
    }
}

function move(element, role, stamp) {
    if (!stamp) return;
    for (const time of element.querySelectorAll(`time[data-role="${role}"]`)) {
        time.dateTime = stamp;
        time.title = "";
    }
}

/* Merging: what has another mark is replaced; open parts stay open and the focus where it was. */

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
    const held = item.contains(document.activeElement) ? document.activeElement : null;
    // What is not shown takes no focus.
    list.classList.remove("empty");
    list.insertBefore(item, next);
    held?.focus({ preventScroll: true });
}

function merge(text, whole) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const [summary, before] = [summaryOf(fresh), summaryOf(main)];
    if (summary && before) {
        // A filtered page keeps its own links.
        learnTime(summary.dataset.now);
        replace(before, document.adoptNode(summary));
    }
    document.title = fresh.title;
    main.querySelector("h1").textContent = fresh.querySelector("h1").textContent;
    const known = items();
    const told = [];
    const seen = new Set();
    for (const item of fresh.querySelectorAll("li[data-account]")) {
        const name = item.dataset.account;
        seen.add(name);
        const old = known.get(name);
        if (old && old.dataset.mark === item.dataset.mark) continue;
        const now = document.adoptNode(item);
        if (old) {
            if (old.dataset.state !== now.dataset.state) told.push(`${name}: ${now.dataset.state}`);
            replace(old, now);
        } else {
            told.push(`${name}: ${now.dataset.state}`);
        }
        place(now);
    }
    if (whole) for (const [name, item] of known) if (!seen.has(name)) remove(item);
    filter();
    tick();
    if (told.length > 3) news.textContent = `${told.length} accounts changed`;
    else if (told.length > 0) news.textContent = told.join(", ");
}

function remove(item) {
    if (item.contains(document.activeElement)) main.focus({ preventScroll: true });
    item.remove();
}

/* Fetching: one at a time; what comes meanwhile is fetched after it. */

let pending = null;
let busy = false;

async function fetchNext() {
    if (busy || !pending) return;
    const { names, whole } = pending;
    pending = null;
    busy = true;
    try {
        const filtered = location.search !== "";
        const all = whole || kind === "account" || filtered || names.size > MANY;
        const url = all ? location.href : "/fragments?accounts=" + encodeURIComponent([...names].join("\n"));
        const answer = await fetch(url, { headers: { accept: "text/html" } });
        if (answer.ok) merge(await answer.text(), all && kind === "overview");
        else if (kind === "account" && answer.status === 404) say("This account is not watched any longer.", true);
    } catch {
        // The connection says so itself, and its next beginning names everything again.
    }
    busy = false;
    fetchNext();
}

function want(names, whole) {
    pending ??= { names: new Set(), whole: false };
    names.forEach((name) => pending.names.add(name));
    pending.whole ||= whole;
    fetchNext();
}

/* The connection. */

function say(text, alarming) {
    if (connection.textContent !== text) connection.textContent = text;
    connection.classList.toggle("lost", alarming);
}

function heard(event) {
    const told = JSON.parse(event.data);
    learnTime(told.at);
    const known = items();
    const changed = [];
    const here = new Set();
    for (const [name, mark, look, next] of told.accounts) {
        here.add(name);
        const item = known.get(name);
        if (!item && kind === "account") continue;
        if (!item || item.dataset.mark !== mark) { changed.push(name); continue; }
        move(item, "look", look);
        move(item, "next", next);
    }
    const summary = summaryOf(main);
    if (summary) move(summary, "read", told.read);
    for (const [name, item] of known) {
        if ((told.gone.includes(name) || told.all && !here.has(name)) && kind === "overview") remove(item);
    }
    const counted = told.gone.length > 0 || summary && summary.dataset.mark !== told.source;
    // On a filtered page, accounts that are not shown are not news.
    const filtered = location.search !== "" && told.all;
    const wanted = filtered ? changed.filter((name) => known.has(name)) : changed;
    if (wanted.length > 0 || counted && kind === "overview") want(wanted, false);
    tick();
}

let source = null;
let lastHeard = Date.now();

function connect() {
    source?.close();
    source = new EventSource("/api/events");
    const alive = () => { lastHeard = Date.now(); say("Live", false); };
    source.addEventListener("state", (event) => { alive(); heard(event); });
    source.addEventListener("beat", (event) => { alive(); learnTime(event.data); });
    source.addEventListener("error", () => {
        const at = new Date(lastHeard).toLocaleTimeString();
        say(`Connection lost; what you see is of ${at}. Trying again …`, true);
        // A refusal is final for an event source, not for us.
        if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
    lastHeard = Date.now();
}

/* The filter: while somebody types, without asking the server. */

const search = document.getElementById("q");

function filter() {
    if (!search) return;
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const [name, item] of items()) {
        item.hidden = !name.toLowerCase().includes(wanted) && !item.dataset.state.toLowerCase().includes(wanted);
        if (!item.hidden) shown += 1;
    }
    for (const list of main.querySelectorAll("#attention, #settled")) {
        list.classList.toggle("empty", [...list.children].every((item) => item.hidden));
    }
    document.getElementById("found").textContent = wanted ? `${shown} found` : "";
}

search?.addEventListener("input", filter);
document.getElementById("filter")?.addEventListener("submit", (event) => {
    // A filter by state stays in the address; the name is found while it is typed.
    event.preventDefault();
    filter();
});

learnTime(summaryOf(main)?.dataset.now);
filter();
tick();
setInterval(tick, 1000);
setInterval(() => { if (Date.now() - lastHeard > SILENCE) connect(); }, 5000);
connect();
