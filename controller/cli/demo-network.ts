// The example ISP with its devices where the simulated ones listen: the same files, comments and all, with other addresses. Pure.

import { Document, isMap, parseDocument } from 'yaml'
import type { ListeningDevice } from './demo-simulator.ts'

/** Variable that holds the simulated devices' password, in the demo's own environment only. */
export const demoPasswordEnv = 'NULLROUTE_DEMO_PASSWORD'

/** A file of the example's inventory with addresses, ports and logins of the simulated devices; jump hosts are left out, since there are none here. */
export function demoInventory(text: string, devices: readonly ListeningDevice[]): string {
  const document = parseDocument(text)
  if (!document.has('devices')) return text
  document.delete('jumps')
  document.setIn(
    ['defaults', 'auth'],
    document.createNode({ passwordEnv: demoPasswordEnv }, { flow: true }),
  )
  dropJumps(document, 'groups')
  dropJumps(document, 'devices')
  for (const { name, host, port, username } of devices) {
    if (!document.hasIn(['devices', name])) continue
    document.setIn(['devices', name, 'address'], host)
    document.setIn(['devices', name, 'port'], port)
    document.setIn(['devices', name, 'username'], username)
    if (document.hasIn(['devices', name, 'enable'])) {
      document.setIn(
        ['devices', name, 'enable'],
        document.createNode({ passwordEnv: demoPasswordEnv }, { flow: true }),
      )
    }
  }
  return document.toString({ lineWidth: 0 })
}

function dropJumps(document: Document, section: string): void {
  const entries = document.get(section)
  if (!isMap(entries)) return
  for (const { value } of entries.items) if (isMap(value)) value.delete('jump')
}

/** known_hosts of the simulated devices. Only a demo may take host keys from whoever shows them: it made the devices itself. */
export function demoKnownHosts(devices: readonly ListeningDevice[]): string {
  return devices.map(({ host, port, hostKey }) => `[${host}]:${port} ${hostKey}\n`).join('')
}
