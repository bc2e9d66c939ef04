// Reading the YAML again, without losing what is in force.

import { ControllerError } from '../errors.ts'
import { callerOf, only } from './auth.ts'
import { type Api, type ApiContext, problems } from './context.ts'
import { ReloadView } from './schema.ts'

/** POST /v1/inventory/reload. Broken files leave the old inventory active: 422 with every problem in its place. */
export function inventoryRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/inventory/reload',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary: 'Reads inventory and playbooks again; says what that touches of what is in force',
      tags: ['inventory'],
      response: { 200: ReloadView, ...problems },
    },
    handler: async (request) => {
      const report = await controller.reload(callerOf(request))
      const found = report.problems.map(({ file, line, column, message }) => ({
        file,
        line,
        column,
        message,
      }))
      if (!report.ok) {
        throw new ControllerError(
          'inventory_invalid',
          `the files have ${found.length} ${found.length === 1 ? 'problem' : 'problems'}; what was loaded before stays active`,
          { problems: found },
        )
      }
      return {
        ok: true,
        problems: found,
        conflicts: report.conflicts.map(({ enforcement, kind, object }) => ({
          enforcement,
          kind,
          object,
        })),
        devices: report.devices,
        customers: report.customers,
      }
    },
  })
}
