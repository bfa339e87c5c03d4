// Between what is typed and the HTML of a Teams message.

const FENCE = /^```\s*([\w+#.-]*)\s*$/;
const ONE_LINE = /^```(.+)```\s*$/;

function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
}

function codeBlock(language, lines) {
  return `<codeblock class="${escaped(language)}"><code>${lines.map(escaped).join('<br>')}</code></codeblock>`;
}

/** Typed text as the HTML that Teams makes of it: a paragraph a line, code between lines of three backticks. */
export function htmlOfText(text) {
  const blocks = [];
  let code;
  for (const line of text.split('\n')) {
    const fence = line.match(FENCE);
    if (code) {
      if (fence && !fence[1]) {
        blocks.push(codeBlock(code.language, code.lines));
        code = undefined;
      } else {
        code.lines.push(line);
      }
    } else if (fence) {
      code = { language: fence[1], lines: [] };
    } else if (ONE_LINE.test(line)) {
      blocks.push(codeBlock('', [line.match(ONE_LINE)[1]]));
    } else {
      blocks.push(`<p>${escaped(line) || '&nbsp;'}</p>`);
    }
  }
  if (code) blocks.push(codeBlock(code.language, code.lines));
  return blocks.join('');
}

/** Whether the text ends inside a code block that nobody has closed. */
export function isInCode(text) {
  let open = false;
  for (const line of text.split('\n')) {
    const fence = line.match(FENCE);
    if (fence) open = !open || fence[1] !== '';
  }
  return open;
}

function parsed(html) {
  return new DOMParser().parseFromString(String(html), 'text/html').body;
}

const BLOCKS = new Set(['P', 'DIV', 'LI', 'UL', 'OL', 'BLOCKQUOTE', 'PRE', 'TABLE', 'TR', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6']);
/** What is no text: it stays as it is when the text is edited. */
const APART = 'attachment, at, img';

/** A message's HTML as one would have typed it. */
export function textOfHtml(html) {
  const lines = [];
  let line = '';
  const end = () => {
    lines.push(line.replaceAll('\u00a0', ' ').trim());
    line = '';
  };
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) line += node.data.replace(/[\t\n\r ]+/g, ' ');
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(APART)) return;
    if (node.nodeName === 'BR') {
      end();
    } else if (node.nodeName === 'CODEBLOCK') {
      if (line.trim()) end();
      for (const each of node.querySelectorAll('br')) each.replaceWith('\n');
      lines.push(`\`\`\`${node.className}`, ...node.textContent.split('\n'), '```');
    } else if (node.nodeName === 'EMOJI') {
      line += node.getAttribute('alt') ?? '';
    } else if (BLOCKS.has(node.nodeName)) {
      if (line.trim()) end();
      if (node.nodeName === 'LI') line = '- ';
      node.childNodes.forEach(read);
      if (line) end();
    } else {
      node.childNodes.forEach(read);
    }
  };
  parsed(html).childNodes.forEach(read);
  if (line) end();
  return lines.join('\n').trim();
}

/** The HTML of an edited message: the new text, with the quotes, mentions, pictures and files that it had. */
export function editedHtml(message, text) {
  const quoted = new Set((message.attachments ?? []).filter((one) => one.contentType === 'messageReference').map((one) => one.id));
  const apart = [...parsed(message.html).querySelectorAll(APART)];
  const html = (nodes) => nodes.map((node) => node.outerHTML).join('');
  const quotes = apart.filter((node) => quoted.has(node.id));
  const mentions = html(apart.filter((node) => node.nodeName === 'AT'));
  const pictures = apart.filter((node) => node.nodeName === 'IMG').map((node) => `<p>${node.outerHTML}</p>`).join('');
  const files = apart.filter((node) => node.nodeName === 'ATTACHMENT' && !quoted.has(node.id));
  let written = text ? htmlOfText(text) : '';
  if (mentions) written = written.startsWith('<p>') ? written.replace('<p>', () => `<p>${mentions}&nbsp;`) : `<p>${mentions}</p>${written}`;
  return html(quotes) + written + pictures + html(files);
}
