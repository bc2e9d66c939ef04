// The child's program as one file: read in half the time that its hundreds of modules take, and a run reads it once for each kill.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** Bundles the child from its sources into a file and answers its path. Packages with native parts, or that look for files of theirs, stay outside. */
export async function bundleChild(): Promise<string> {
  const root = join(import.meta.dirname, '../..')
  // Beside the packages, so that those that stay outside are found.
  const outfile = join(root, 'node_modules/.cache/nullroute-crash', `child-${process.pid}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, 'child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['better-sqlite3', 'ssh2', 'pino', '@fastify/swagger-ui'],
    banner: { js: banner },
    plugins: [inPlace],
    logLevel: 'error',
  })
  return outfile
}
