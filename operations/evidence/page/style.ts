/** The page's only style. Every pair of text and background has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3). */
export const STYLE = `
:root { color-scheme: light dark; --text: #1a1a1a; --muted: #4d4d4d; --page: #ffffff; --line: #c8c8c8; --head: #f1f1f1;
  --good: #1b5e20; --bad: #a11212; --open: #7a4b00; }
@media (prefers-color-scheme: dark) { :root { --text: #ececec; --muted: #b8b8b8; --page: #161616; --line: #4a4a4a; --head: #262626;
  --good: #8fd694; --bad: #ff9c94; --open: #f0c36d; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--line); } h3 { margin-top: 1.8rem; }
p.lead { font-size: 1.15rem; font-weight: 600; } p.note, caption { color: var(--muted); }
.proven, .held { color: var(--good); } .broken { color: var(--bad); } .not-proven, .not-required, .not-shown { color: var(--open); }
.proven, .held, .broken, .not-proven, .not-required, .not-shown { font-weight: 600; }
nav ul { columns: 16rem; padding-left: 1.2rem; } a { color: inherit; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 0.9rem; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; padding: 0.3rem 0; } th, td { border: 1px solid var(--line); padding: 0.35rem 0.5rem; text-align: left; vertical-align: top; }
thead th { background: var(--head); } tbody th { font-weight: 500; } code { font: 0.85em ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 0.4rem 1.5rem; }
dt { color: var(--muted); font-size: 0.85rem; } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figure > div { background: #ffffff; border: 1px solid var(--line); padding: 0.5rem; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; } pre { background: var(--head); padding: 0.8rem; overflow-x: auto; font-size: 0.85rem; }
.findings li { margin-bottom: 0.6rem; }
@media print { body { max-width: none; padding: 0; font-size: 0.8rem; } h2, h3 { break-after: avoid; } tr, figure { break-inside: avoid; }
  nav { display: none; } .wide, figure > div { overflow: visible; } figure > div { text-align: center; } figure svg { max-height: 20cm; width: auto; } thead { display: table-header-group; } }
`;
