"use strict";
// Draws figures marked data-chart as SVG from the JSON beside them; colours and dashes come from components.css.
(() => {
    const HEIGHT = 220, LEFT = 44, BOTTOM = 24, TOP = 8, RIGHT = 8;
    const NS = "http://www.w3.org/2000/svg";
    const whole = new Intl.NumberFormat();

    function svg(name, attributes, text) {
        const node = document.createElementNS(NS, name);
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
        if (text !== undefined) node.textContent = text;
        return node;
    }

    // The smallest 1, 2 or 5 times a power of ten that divides the axis into at most four steps.
    function step(top) {
        const power = 10 ** Math.floor(Math.log10(Math.max(top, 1) / 4));
        return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size * 4 >= top));
    }

    function frame(data, width) {
        const most = Math.max(1, ...data.series.flatMap((one) => one.values));
        const size = step(most);
        const top = Math.ceil(most / size) * size;
        const slot = (width - LEFT - RIGHT) / Math.max(data.labels.length, 1);
        return {
            top, size, slot, width,
            x: (at) => LEFT + slot * (at + 0.5),
            y: (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top),
        };
    }

    function axes(root, data, plot) {
        for (let value = 0; value <= plot.top; value += plot.size) {
            root.append(svg("line", { class: "axis", x1: LEFT, x2: plot.width - RIGHT, y1: plot.y(value), y2: plot.y(value) }));
            root.append(svg("text", { x: LEFT - 8, y: plot.y(value) + 4, "text-anchor": "end" }, whole.format(value)));
        }
        const every = Math.ceil(data.labels.length / (plot.width / 80));
        data.labels.forEach((label, at) => {
            if (at % every === 0) root.append(svg("text", { x: plot.x(at), y: HEIGHT - 6, "text-anchor": "middle" }, label));
        });
    }

    function lines(root, data, plot) {
        data.series.forEach((one, number) => {
            const points = one.values.map((value, at) => `${plot.x(at)},${plot.y(value)}`).join(" ");
            root.append(svg("polyline", { class: `line s${number + 1}`, points }));
            if (one.values.length < 2) root.append(svg("circle", { class: `f${number + 1}`, cx: plot.x(0), cy: plot.y(one.values[0] || 0), r: 4 }));
        });
    }

    function bars(root, data, plot) {
        const thick = (plot.slot * 0.7) / data.series.length;
        data.series.forEach((one, number) => one.values.forEach((value, at) => {
            const x = plot.x(at) - plot.slot * 0.35 + thick * number;
            root.append(svg("rect", { class: `f${number + 1}`, x, y: plot.y(value), width: Math.max(thick - 1, 1), height: plot.y(0) - plot.y(value), rx: 1 }));
        }));
    }

    function tips(root, data, plot) {
        data.labels.forEach((label, at) => {
            const spot = svg("rect", { class: "hover", x: plot.x(at) - plot.slot / 2, y: TOP, width: plot.slot, height: HEIGHT - TOP - BOTTOM });
            spot.append(svg("title", {}, [label, ...data.series.map((one) => `${one.name}: ${whole.format(one.values[at])}`)].join("\n")));
            root.append(spot);
        });
    }

    function legend(data) {
        const list = document.createElement("div");
        list.className = "legend";
        data.series.forEach((one, number) => {
            const entry = document.createElement("span");
            const mark = svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" });
            mark.append(data.kind === "bar" ? svg("rect", { class: `f${number + 1}`, width: 12, height: 10, x: 8, rx: 2 })
                : svg("line", { class: `line s${number + 1}`, x1: 0, x2: 28, y1: 5, y2: 5 }));
            entry.append(mark, one.name);
            list.append(entry);
        });
        return list;
    }

    function draw(figure) {
        const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
        const canvas = figure.querySelector("[data-chart-canvas]");
        const width = Math.max(canvas.clientWidth, 280);
        const label = `${figure.querySelector("figcaption").textContent}; the numbers are in the table below`;
        const root = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
        const plot = frame(data, width);
        axes(root, data, plot);
        (data.kind === "bar" ? bars : lines)(root, data, plot);
        tips(root, data, plot);
        canvas.replaceChildren(root, ...(data.series.length > 1 ? [legend(data)] : []));
    }

    function enliven(figure) {
        figure.querySelector("[data-chart-table]").removeAttribute("open");
        let width = -1;
        new ResizeObserver(() => {
            if (figure.clientWidth === width) return;
            width = figure.clientWidth;
            draw(figure);
        }).observe(figure);
    }

    const drawAll = (root) => root.querySelectorAll("[data-chart]").forEach(enliven);
    document.addEventListener("DOMContentLoaded", () => drawAll(document));
    document.addEventListener("htmx:afterSettle", (event) => drawAll(event.target));
})();
