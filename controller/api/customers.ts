// Customers: what is theirs, and what is in force.

import { idsInOrder } from '../../inventory/order.ts'
import { everyone } from './auth.ts'
import { type Api, type ApiContext, notFound, pageOfIds, problems } from './context.ts'
import { CustomerPage, CustomerView, InventoryIdPath, PageQuery } from './schema.ts'
import { customerView } from './views-inventory.ts'

/** GET /v1/customers, GET /v1/customers/{id}. */
export function customerRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/customers',
    config: { access: everyone },
    schema: {
      summary: 'Customers, by id',
      tags: ['inventory'],
      querystring: PageQuery,
      response: { 200: CustomerPage, ...problems },
    },
    handler: async ({ query }) => {
      const inventory = controller.inventory()
      const { items, ...more } = pageOfIds(idsInOrder(inventory.customers), query)
      const live = controller.store.read((rows) => rows.live())
      const customers = items.flatMap((id) => inventory.customers.get(id) ?? [])
      return { items: customers.map((one) => customerView(one, inventory, live)), ...more }
    },
  })
  app.route({
    method: 'GET',
    url: '/v1/customers/:id',
    config: { access: everyone },
    schema: {
      summary: 'What is one customer’s, and what is in force',
      tags: ['inventory'],
      params: InventoryIdPath,
      response: { 200: CustomerView, ...problems },
    },
    handler: async (request) => {
      const { id } = request.params
      const inventory = controller.inventory()
      const customer = inventory.customers.get(id)
      if (customer === undefined) throw notFound('customer', id)
      return customerView(
        customer,
        inventory,
        controller.store.read((rows) => rows.live()),
      )
    },
  })
}
