// Devices: how they are, what is wanted of them and what they show; checking and converging one now.

import { unwantedOn } from '../device-state.ts'
import { ControllerError } from '../errors.ts'
import { callerOf, everyone, only } from './auth.ts'
import {
  type Api,
  type ApiContext,
  notFound,
  optionalBody,
  pageOfIds,
  problems,
} from './context.ts'
import {
  AdoptBody,
  DeviceCheckView,
  DevicePage,
  DeviceView,
  InventoryIdPath,
  PageQuery,
  ReconcileBody,
} from './schema.ts'
import { inventoryDeviceView } from './views-inventory.ts'

/** GET /v1/devices, GET /v1/devices/{id}, POST …/check, reconcile, adopt. */
export function deviceRoutes(app: Api, context: ApiContext): void {
  readRoutes(app, context)
  checkRoute(app, context)
  changeRoutes(app, context)
}

function readRoutes(app: Api, context: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/devices',
    config: { access: everyone },
    schema: {
      summary: 'Devices, by id',
      tags: ['devices'],
      querystring: PageQuery,
      response: { 200: DevicePage, ...problems },
    },
    handler: async ({ query }) => {
      const { items, ...more } = pageOfIds(context.controller.deviceIds(), query)
      return { items: items.flatMap((id) => viewDevice(context, id) ?? []), ...more }
    },
  })
  app.route({
    method: 'GET',
    url: '/v1/devices/:id',
    config: { access: everyone },
    schema: {
      summary: 'Health, drift, wanted and seen intents of one device',
      tags: ['devices'],
      params: InventoryIdPath,
      response: { 200: DeviceView, ...problems },
    },
    handler: async (request) => needDevice(context, request.params.id),
  })
}

function checkRoute(app: Api, context: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/devices/:id/check',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary: 'Connects, reads and compares; changes nothing',
      tags: ['devices'],
      params: InventoryIdPath,
      response: { 202: DeviceCheckView, ...problems },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      needDevice(context, id)
      const { findings } = await context.controller.check(callerOf(request), id)
      reply.code(202).header('location', `/v1/devices/${id}`)
      return {
        ...needDevice(context, id),
        preflight: findings.map(({ name, ok, found, expected, remedy }) => ({
          name,
          ok,
          found,
          expected,
          remedy,
        })),
      }
    },
  })
}

function changeRoutes(app: Api, context: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/devices/:id/reconcile',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary:
        'Converges now; with `remove` (admin) also takes orphans off, whoever put them there',
      tags: ['devices'],
      params: InventoryIdPath,
      body: optionalBody(ReconcileBody),
      response: { 202: DeviceView, ...problems },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const caller = callerOf(request)
      const { remove, reason } = request.body ?? {}
      needDevice(context, id)
      const removal =
        remove === undefined || reason === undefined ? undefined : { keys: remove, reason }
      if (removal !== undefined && !caller.roles.includes('admin')) {
        throw new ControllerError('forbidden', 'taking orphans off a device needs the role admin', {
          needs: ['admin'],
        })
      }
      await context.controller.reconcile(caller, id, removal)
      reply.code(202).header('location', `/v1/devices/${id}`)
      return needDevice(context, id)
    },
  })
  app.route({
    method: 'POST',
    url: '/v1/devices/:id/adopt',
    config: { access: only('admin') },
    schema: {
      summary: 'Makes claims for orphans, so that they are ours again',
      tags: ['devices'],
      params: InventoryIdPath,
      body: AdoptBody,
      response: { 202: DeviceView, ...problems },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { keys, reason } = request.body
      needDevice(context, id)
      await context.controller.adopt(callerOf(request), id, keys, reason)
      reply.code(202).header('location', `/v1/devices/${id}`)
      return needDevice(context, id)
    },
  })
}

function needDevice(context: ApiContext, id: string): DeviceView {
  const view = viewDevice(context, id)
  if (view === undefined) throw notFound('device', id)
  return view
}

function viewDevice({ controller }: ApiContext, id: string): DeviceView | undefined {
  const found = controller.device(id)
  if (found === undefined) return undefined
  const unwanted = controller.store.read((rows) => unwantedOn(rows, found.state))
  return inventoryDeviceView(found, unwanted)
}
