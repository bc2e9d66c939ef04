// A program of ours as one file, for tests that start it often: read in a fraction of the time that its hundreds of modules take.

import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** Keeps `import.meta` of our own files what it is where they lie: they look for files beside themselves. */
const inPlace: Plugin = {
  name: 'in-place',
  setup(bundling) {
    bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const url = JSON.stringify(pathToFileURL(path).href)
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', url) }
    })
  },
}

/** CommonJS packages inside of an ES module ask for these. */
const banner = [
  "import { createRequire as bundleRequire } from 'node:module'",
  "import { dirname as bundleDirname } from 'node:path'",
  "import { fileURLToPath as bundlePath } from 'node:url'",
  'const require = bundleRequire(import.meta.url)',
  'const __filename = bundlePath(import.meta.url)',
  'const __dirname = bundleDirname(__filename)',
].join('\n')

const made = new Map<string, Promise<string>>()

/**
 * The path of a bundle of this program, given as the path of its TypeScript file; to be run by `node PATH`.
 * Made once a process. Packages with native parts, or that look for files of theirs, stay outside.
 */
export function bundled(program: string): Promise<string> {
  const there = made.get(program) ?? bundle(program)
  made.set(program, there)
  return there
}

async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['better-sqlite3', 'ssh2', 'pino', '@fastify/swagger-ui'],
    banner: { js: banner },
    plugins: [inPlace],
    logLevel: 'error',
  })
  const contents = outputFiles[0]?.contents
  if (contents === undefined) throw new Error(`esbuild made nothing of ${program}`)
  // Named by what is in it: two runs that differ never meet, and equal ones may. Beside the packages, so that those outside are found.
  const digest = createHash('sha256').update(contents).digest('hex').slice(0, 16)
  const folder = join(import.meta.dirname, '../node_modules/.cache/nullroute')
  const file = join(folder, `${basename(program, '.ts')}-${digest}.mjs`)
  await mkdir(folder, { recursive: true })
  await writeFile(`${file}.${process.pid}`, contents)
  await rename(`${file}.${process.pid}`, file)
  return file
}
