// JSON as FRR 8.4 prints it: no blank behind the colon, an empty object over two lines.

/** Any value that is printed. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** The text with its last line end. `escapeSlashes`: bgpd writes `\/`, zebra does not. */
export function printJson(value: Json, escapeSlashes = false): string {
  return `${print(value, '', escapeSlashes)}\n`
}

function print(value: Json, indent: string, escapeSlashes: boolean): string {
  if (typeof value !== 'object') {
    const text = JSON.stringify(value)
    return escapeSlashes ? text.replaceAll('/', '\\/') : text
  }
  const inner = `${indent}  `
  const list = Array.isArray(value)
  const items = list
    ? value.map((item: Json) => inner + print(item, inner, escapeSlashes))
    : Object.entries(value).map(
        ([key, item]) => `${inner}${JSON.stringify(key)}:${print(item, inner, escapeSlashes)}`,
      )
  const [open, close] = list ? ['[', ']'] : ['{', '}']
  if (items.length === 0 && indent === '') return `${open}${close}`
  return `${open}\n${items.map((item) => item).join(',\n')}${items.length > 0 ? '\n' : ''}${indent}${close}`
}
