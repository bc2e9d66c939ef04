// The last look at text before a terminal gets it: what people, clients and devices wrote must not move a cursor, hide itself or turn the direction of what stands around it. Pure.

// Colours are ours (picocolors): the few of them pass, all else behind an ESC does not. A line end of Windows is a line end.
const signs = /\p{Cc}\[(?:1|2|22|31|32|33|36|39)m|\r?\n|\t|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text as it may be shown: signs that a terminal would obey or that nobody sees are written as `\\u202e`. Of JSON the value stays the same: so is it escaped there too. */
export function terminalText(text: string): string {
  return text.replace(signs, (sign) => {
    if (sign.endsWith('\n')) return '\n'
    if (sign === '\t' || (sign.startsWith('\u001b') && sign.length > 1)) return sign
    // Another control before what would be a colour behind an ESC: only it is a sign.
    return sign.endsWith('m') ? `${escaped(sign.slice(0, 1))}${sign.slice(1)}` : escaped(sign)
  })
}

function escaped(sign: string): string {
  return Array.from(
    { length: sign.length },
    (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
