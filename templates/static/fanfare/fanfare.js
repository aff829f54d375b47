"use strict";
// Behaviour of Fanfare's own pages, hung on data- attributes. Every page works without it, with more clicks.
(() => {
    const each = (root, selector, act) => root.querySelectorAll(selector).forEach(act);

    // A table that is wider than its place can be scrolled by keyboard; only then is it a stop on the way.
    function scrolled(region) {
        const look = () => {
            if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
            else region.removeAttribute("tabindex");
        };
        new ResizeObserver(look).observe(region);
        look();
    }

    // data-guard: leaving a form with unsaved changes asks first.
    function guard(form) {
        const before = new URLSearchParams(new FormData(form)).toString();
        let sending = false;
        form.addEventListener("submit", () => { sending = true; });
        window.addEventListener("beforeunload", (event) => {
            const now = new URLSearchParams(new FormData(form)).toString();
            if (!sending && (now !== before || form.hasAttribute("data-unsaved"))) event.preventDefault();
        });
    }

    // data-confirm: asks before a form is sent, or before one of its buttons sends it.
    function confirmed(asking) {
        asking.addEventListener(asking.matches("form") ? "submit" : "click", (event) => {
            if (!window.confirm(asking.dataset.confirm)) event.preventDefault();
        });
    }

    // data-count: says how long a field's text is.
    function counted(output) {
        const field = document.getElementById(output.dataset.count);
        const show = () => { output.textContent = `${[...field.value].length} characters`; };
        field.addEventListener("input", show);
        show();
    }

    // data-filter: hides the choices whose text does not hold the words typed.
    function filter(input) {
        const choices = [...document.querySelectorAll(input.dataset.filter)];
        input.addEventListener("input", () => {
            const words = input.value.trim().toLowerCase();
            for (const choice of choices) choice.hidden = !choice.textContent.toLowerCase().includes(words);
        });
    }

    // details.menu: closes on Escape and on a click elsewhere.
    function menu(details) {
        details.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" || !details.open) return;
            details.open = false;
            details.querySelector("summary").focus();
        });
    }
    document.addEventListener("click", (event) => {
        each(document, "details.menu[open]", (details) => { if (!details.contains(event.target)) details.open = false; });
    });

    // data-countdown: seconds until something happens; then the page is asked again.
    function countdown(output) {
        let left = Number(output.dataset.countdown);
        const timer = window.setInterval(() => {
            left -= 1;
            if (left < 0) {
                window.clearInterval(timer);
                window.location.reload();
            } else output.textContent = left;
        }, 1000);
    }

    // [data-insert] puts a merge field where the cursor was last, in any [data-insertable] field of the form.
    function insertion(form) {
        let target = form.querySelector("[data-insertable][data-main]");
        form.addEventListener("focusin", (event) => {
            if (event.target.matches("[data-insertable]")) target = event.target;
        });
        form.addEventListener("click", (event) => {
            const button = event.target.closest("[data-insert]");
            if (!button || !target) return;
            target.setRangeText(button.dataset.insert, target.selectionStart, target.selectionEnd, "end");
            target.dispatchEvent(new Event("input", { bubbles: true }));
            button.closest("details").open = false;
            target.focus();
        });
    }

    // data-code: line numbers beside a source; [data-line] buttons jump to a line.
    function code(area) {
        const gutter = document.createElement("div");
        gutter.className = "gutter";
        gutter.setAttribute("aria-hidden", "true");
        area.before(gutter);
        const number = () => {
            const wanted = area.value.split("\n").length;
            if (gutter.childElementCount === wanted) return;
            gutter.replaceChildren(...Array.from({ length: wanted }, (_, at) => {
                const line = document.createElement("span");
                line.textContent = at + 1;
                return line;
            }));
        };
        area.addEventListener("input", number);
        area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
        number();
    }
    function jump(form, part, line) {
        const field = form.querySelector(`[data-part-name="${part}"]`) || form.querySelector("[data-main]");
        field.closest("details")?.setAttribute("open", "");
        const lines = field.value.split("\n");
        const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
        field.focus();
        field.setSelectionRange(start, start + (lines[line - 1] || "").length);
        field.scrollTop = (line - 4) * parseFloat(getComputedStyle(field).lineHeight);
    }

    // data-preview: sends the form to that address while it is edited and shows what comes back.
    function preview(form) {
        const frame = form.querySelector("[data-preview-frame]");
        const text = form.querySelector("[data-preview-text]");
        const subject = form.querySelector("[data-preview-subject]");
        const problems = form.querySelector("[data-preview-problems]");
        let timer = 0, asked = null;
        async function refresh() {
            asked?.abort();
            asked = new AbortController();
            try {
                const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form), signal: asked.signal });
                if (!answer.ok) throw new Error(answer.status);
                const made = await answer.json();
                if (made.html !== null) frame.srcdoc = made.html;
                if (made.text !== null) text.textContent = made.text;
                if (made.subject !== null) subject.textContent = made.subject;
                problems.innerHTML = made.problems;
            } catch (error) {
                if (error.name !== "AbortError") problems.textContent = "The preview could not be refreshed. Is the connection up?";
            }
        }
        const later = () => { window.clearTimeout(timer); timer = window.setTimeout(refresh, 400); };
        form.addEventListener("input", (event) => { if (!event.target.matches("[data-quiet]")) later(); });
        form.addEventListener("click", (event) => {
            const button = event.target.closest("[data-line]");
            if (button) jump(form, button.dataset.part, Number(button.dataset.line));
        });
    }

    // data-copy: puts a text on the clipboard; the old way serves pages without https, where browsers hide the new one.
    function copying(button) {
        const said = button.querySelector("[data-copied]");
        const byHand = () => {
            const field = document.createElement("textarea");
            field.value = button.dataset.copy;
            button.after(field);
            field.select();
            const done = document.execCommand("copy");
            field.remove();
            return done;
        };
        button.hidden = false;
        button.addEventListener("click", async () => {
            let done = true;
            try {
                await navigator.clipboard.writeText(button.dataset.copy);
            } catch {
                done = byHand();
            }
            button.focus();
            said.textContent = done ? "Copied" : "Select the text and copy it";
            window.setTimeout(() => { said.textContent = ""; }, 2000);
        });
    }

    // The theme writes a chosen file's name into the text field beside its own file inputs; beside ours it finds none.
    document.addEventListener("change", (event) => {
        if (event.target.matches(".field input[type=file]")) event.stopPropagation();
    }, true);

    const PARTS = {
        "form[data-guard]": guard, ":is(form, button)[data-confirm]": confirmed, "[data-count]": counted, "[data-filter]": filter,
        "details.menu": menu, "[data-countdown]": countdown, "form[data-insertion]": insertion, "[data-code]": code,
        "form[data-preview]": preview, "[data-copy]": copying, ".table-scroll": scrolled,
    };
    function enliven(root) {
        for (const [selector, act] of Object.entries(PARTS)) each(root, selector, act);
    }
    document.addEventListener("DOMContentLoaded", () => enliven(document));
    document.addEventListener("htmx:afterSwap", (event) => enliven(event.target));
})();
