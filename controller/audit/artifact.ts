// Artifacts: long texts beside the log (plans, transcripts, read-backs), named by the SHA-256 of their whole content and kept compressed.
// The first line holds a salt, so that the digest of a short, guessable text gives nothing away.

import { hash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'

/** Longest artifact in bytes, uncompressed. */
const artifactBytesMax = 64 * 1024 * 1024

/** The content of an artifact: `nullroute-artifact/1 <kind> <salt>\n` and the text. `kind`: lower-case letters and dashes. */
export function artifactOf(kind: string, salt: string, text: string): Uint8Array {
  if (!/^[a-z][a-z-]{0,31}$/.test(kind)) {
    throw new TypeError(`${JSON.stringify(kind)} is no kind of artifact`)
  }
  const bytes = Buffer.from(`nullroute-artifact/1 ${kind} ${salt}\n${text}`, 'utf8')
  if (bytes.length > artifactBytesMax) {
    throw new TypeError(
      `an artifact of ${bytes.length} B: at most ${artifactBytesMax} B can be kept`,
    )
  }
  return bytes
}

/** The name of an artifact: hex SHA-256 of its whole content. */
export function artifactDigest(content: Uint8Array): string {
  return hash('sha256', content, 'hex')
}

/** Kind and text of an artifact's content, or undefined where it is not one. */
export function readArtifact(
  content: Uint8Array,
): { readonly kind: string; readonly text: string } | undefined {
  const whole = Buffer.from(content).toString('utf8')
  const header = /^nullroute-artifact\/1 ([a-z][a-z-]{0,31}) [\w-]{22}\n/.exec(whole)
  if (header === null) return undefined
  return { kind: header[1] ?? '', text: whole.slice(header[0].length) }
}

/** Bytes up to which a content is small, and how it is then compressed: as well as with zlib's usual tables, which it takes longer to set up than to use. */
const small = { bytes: 8_192, windowBits: 13, memLevel: 5 }

/** Compressed, as it is stored. */
export function packArtifact(content: Uint8Array): Uint8Array {
  const { bytes, ...tables } = small
  return content.length <= bytes ? deflateSync(content, tables) : deflateSync(content)
}

/** Uncompressed. Throws when the bytes were damaged. */
export function unpackArtifact(packed: Uint8Array): Uint8Array {
  return inflateSync(packed, { maxOutputLength: artifactBytesMax })
}
