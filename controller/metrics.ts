// Metrics for Prometheus: what is in force and where it hangs, how the devices are, how the log grows, how long requests take.
// Read from the store when asked for; nothing is counted twice.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Controller } from './controller.ts'
import { unwantedOn } from './device-state.ts'
import { liveStatuses } from './enforcement.ts'

/** The metrics of one controller. */
export interface Metrics {
  /** One request, when it was answered. `route` is the pattern, never the path: labels must stay few. */
  request(
    labels: { readonly method: string; readonly route: string; readonly status: number },
    seconds: number,
  ): void
  /** Event streams that are open now. */
  eventStreams(count: number): void
  /** Text in Prometheus' own format. */
  text(): Promise<string>
  readonly contentType: string
  /** Ends what it listens to. */
  close(): void
}

const deviceStates = ['up', 'unreachable', 'refused', 'quarantined', 'unknown'] as const

/** Metrics of a controller, in a registry of their own. */
export function createMetrics(controller: Controller, version: string): Metrics {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'nullroute_info',
    help: 'Always 1; the label says which version runs',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1)
  const streams = new Gauge({
    name: 'nullroute_event_streams',
    help: 'Clients that listen to an enforcement',
    registers,
  })
  const requests = new Histogram({
    name: 'nullroute_http_request_duration_seconds',
    help: 'Time from a request to its answer, event streams apart',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  })
  gaugeEnforcements(controller, registers)
  gaugeDevices(controller, registers)
  gaugeHealth(controller, registers)
  const stop = countRecords(controller, registers)
  return {
    request: ({ method, route, status }, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    eventStreams: (count) => streams.set(count),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: stop,
  }
}

function gaugeEnforcements(controller: Controller, registers: Registry[]): void {
  new Gauge({
    name: 'nullroute_enforcements',
    help: 'Enforcements that have not ended, by status',
    labelNames: ['status'],
    registers,
    collect() {
      const live = controller.store.read((rows) => rows.live())
      for (const status of liveStatuses) {
        this.set({ status }, live.filter((one) => one.status === status).length)
      }
    },
  })
  new Gauge({
    name: 'nullroute_devices_queued',
    help: 'Devices that have yet to do what an enforcement wants of them, by what they wait for',
    labelNames: ['status'],
    registers,
    collect() {
      const behind = new Map<string, Set<string>>()
      controller.store.read((rows) => {
        for (const { id } of rows.live()) {
          for (const { device, status } of rows.results({ enforcement: id })) {
            behind.set(status, (behind.get(status) ?? new Set()).add(device))
          }
        }
      })
      for (const status of ['pending', 'converging', 'unreachable', 'refused', 'failed']) {
        this.set({ status }, behind.get(status)?.size ?? 0)
      }
    },
  })
}

function gaugeDevices(controller: Controller, registers: Registry[]): void {
  new Gauge({
    name: 'nullroute_devices',
    help: 'Devices of the inventory, by state',
    labelNames: ['state'],
    registers,
    collect() {
      const states = controller.store.read((rows) => rows.devices())
      const byId = new Map(states.map(({ device, state }) => [device, state]))
      const ids = [...controller.inventory().devices.keys()]
      for (const state of deviceStates) {
        this.set({ state }, ids.filter((id) => (byId.get(id) ?? 'unknown') === state).length)
      }
    },
  })
  new Gauge({
    name: 'nullroute_devices_unsaved',
    help: 'Devices whose running configuration holds unsaved changes of ours',
    registers,
    collect() {
      this.set(controller.store.read((rows) => rows.devices()).filter((d) => d.unsaved).length)
    },
  })
  new Gauge({
    name: 'nullroute_orphans',
    help: 'Objects on devices without a claim, marked as ours or equal to what was lifted last',
    registers,
    collect() {
      const listed = new Set(controller.deviceIds())
      const states = controller.store.read((rows) => rows.devices())
      this.set(
        states
          .filter(({ device }) => listed.has(device))
          .reduce((sum, { orphans }) => sum + orphans.length, 0),
      )
    },
  })
  new Gauge({
    name: 'nullroute_unwanted_objects',
    help: 'Objects of ours that are on devices, or not known to be gone, and that nobody wants',
    registers,
    collect() {
      const unwanted = controller.store.read((rows) =>
        rows.devices().map((state) => unwantedOn(rows, state).length),
      )
      this.set(unwanted.reduce((sum, n) => sum + n, 0))
    },
  })
}

function gaugeHealth(controller: Controller, registers: Registry[]): void {
  const gauges: readonly (readonly [string, string, () => number])[] = [
    [
      'nullroute_log_size',
      'Entries of the audit log',
      () => controller.store.read((rows) => rows.logSize()),
    ],
    [
      'nullroute_audit_healthy',
      '1 while the audit log can be written',
      () => Number(controller.store.healthy()),
    ],
    ['nullroute_ready', '1 while the controller takes work', () => Number(controller.ready().ok)],
    [
      'nullroute_frozen',
      '1 while a freeze holds',
      () => Number(controller.holds().freeze !== undefined),
    ],
  ]
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
}

function countRecords(controller: Controller, registers: Registry[]): () => void {
  const commits = new Counter({
    name: 'nullroute_commits_total',
    help: 'Commits that appended to the audit log since the start',
    registers,
  })
  const records = new Counter({
    name: 'nullroute_log_records_total',
    help: 'Records appended to the audit log since the start, by type',
    labelNames: ['type'],
    registers,
  })
  return controller.store.subscribe((committed) => {
    commits.inc()
    for (const { type } of committed) records.inc({ type })
  })
}
