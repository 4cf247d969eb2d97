/** Markup that is safe to put into a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What can stand in a template: texts are escaped, markup is not, and a list is one after the other. */
export type Piece = string | number | Markup | readonly Piece[];

/** Markup of a template whose values are escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(
    strings.map((part, index) => part + (index < values.length ? render(values[index] ?? "") : "")).join(""),
  );
}

/** A table with a caption, a header for each column, and the first cell of each row as its header. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly Piece[])[]): Markup {
  const body = rows.map(
    ([first = "", ...rest]) =>
      html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>\n`,
  );
  const none = html`<tr><td colspan="${heads.length}">none</td></tr>\n`;
  return html`<div class="wide"><table><caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>
${rows.length === 0 ? none : body}</tbody></table></div>
`;
}

/** Names and values, such as of one object. */
export function pairs(entries: readonly (readonly [name: string, value: Piece])[]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>\n`;
}

/** Text that breaks anywhere, such as a digest. */
export function code(text: string): Markup {
  return html`<code>${text}</code>`;
}

function render(piece: Piece): string {
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "number") return String(piece);
  return typeof piece === "string" ? escapeHtml(piece) : piece.map(render).join("");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
