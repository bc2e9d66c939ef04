// What the figures were measured on: without it they mean nothing.

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { duration, mebibytes, summarize } from './statistics.ts'

/** Magic numbers of `statfs` for the file systems that a data folder is likely to be on. */
const fileSystems: Readonly<Record<number, string>> = {
  61_267: 'ext4',
  16_914_836: 'tmpfs (no disk: fsync costs nothing there)',
  1_481_003_842: 'xfs',
  2_435_016_766: 'btrfs',
  2_035_054_128: 'overlayfs',
}

/** Lines that describe the machine, with the disk of a folder and its load now. */
export function describeMachine(folder: string): readonly string[] {
  const [first] = cpus()
  const load = loadavg().map((value) => value.toFixed(1))
  return [
    `${availableParallelism()} × ${first?.model.trim() ?? 'unknown CPU'}, ${mebibytes(totalmem())} of memory`,
    `${type()} ${release()}, Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    `data folder on ${fileSystems[statfsSync(folder).type] ?? 'an unknown file system'}; a write with fsync takes ${duration(fsyncMs(folder))}`,
    `load average at the start ${load.join(', ')}${busy(Number(load[0]))}`,
  ]
}

function busy(load: number): string {
  return load > availableParallelism() / 2
    ? ': **something else was running, so times are worse than they are**'
    : ''
}

/** Median time of an fsync after a small write, in ms. */
function fsyncMs(folder: string): number {
  const path = join(folder, 'fsync')
  const file = openSync(path, 'w')
  try {
    const runs = Array.from({ length: 21 }, () => {
      const from = performance.now()
      writeSync(file, Buffer.alloc(4_096, 1))
      fsyncSync(file)
      return performance.now() - from
    })
    return summarize(runs).median
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

/** Peak memory of a process so far, in bytes: what the kernel saw it use (VmHWM). */
export function peakMemory(pid: number): number {
  return statusOf(pid, 'VmHWM')
}

/** Memory of a process now, in bytes. */
export function memoryNow(pid: number): number {
  return statusOf(pid, 'VmRSS')
}

function statusOf(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
  if (kibibytes === undefined) throw new Error(`no ${field} in the status of process ${pid}`)
  return Number(kibibytes) * 1_024
}
