// What `device check` says of each port that a customer has on the device: whether it could be taken down and brought back, and what else it is.

import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Finding, Found, Observation } from '../../agent/platform.ts'
import type { Id, Inventory } from '../../inventory/model.ts'

/** One finding for each port, in the order of the inventory: our own session, trunks, members of channels, ports that are not there. Nothing is sent but reads. */
export async function portFindings(
  read: (intents: readonly Intent[]) => Promise<Observation>,
  inventory: Inventory,
  device: Id,
): Promise<readonly Finding[]> {
  const intents = [...inventory.customers.values()]
    .flatMap(({ ports }) => ports)
    .filter((port) => port.device === device)
    .map((port) => ({ kind: 'port', port: port.interface }) as const)
  if (intents.length === 0) return []
  try {
    const { found } = await read(intents)
    return intents.map((intent) => findingOf(intent.port, found.get(keyOf(intent))))
  } catch (fault) {
    if (!(fault instanceof AgentError)) throw fault
    return [
      {
        name: 'customer ports',
        ok: false,
        found: `${fault.code}: ${fault.message}`,
        expected: 'ports that can be read',
        remedy: fault.remedy,
      },
    ]
  }
}

function findingOf(port: string, found: Found | undefined): Finding {
  const against = found?.stop?.message ?? found?.note
  return {
    name: `port ${port}`,
    ok: against === undefined,
    found: against ?? (found?.effect === 'none' ? 'can be taken down and brought back' : 'is down'),
    expected: "a port of one customer's own, which doesn't carry our session",
    remedy:
      found?.stop?.remedy ??
      "make sure that it is the customer's alone, or correct the port in the inventory",
  }
}
