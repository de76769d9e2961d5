// Stands in for the libraries that Data Docs would fetch from the web: tables are drawn, clicks on
// their rows lead on, everything else is left out.
window.$ = function (selector) {
  const at = typeof selector === "string" ? document.querySelector(selector) : null;
  const does = {
    ready(then) { then(); },
    bootstrapTable(options) {
      if (!at || typeof options !== "object") return;
      const columns = options.columns.filter((column) => column.visible !== false && column.visible !== "false");
      const head = at.createTHead().insertRow();
      columns.forEach((column) => { head.appendChild(document.createElement("th")).textContent = column.title; });
      const body = at.createTBody();
      options.data.forEach((row) => {
        const line = body.insertRow();
        columns.forEach((column) => { line.insertCell().innerHTML = row[column.field] ?? ""; });
        if (row._table_row_link_path) {
          line.className = "clickable-row";
          line.onclick = () => { window.location = row._table_row_link_path; };
        }
      });
    },
  };
  return new Proxy(does, { get: (known, name) => known[name] ?? (() => window.$(selector)) });
};
