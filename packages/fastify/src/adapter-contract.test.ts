import { PassThrough } from 'node:stream'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import * as core from '@postmark-smtp/core'
import { type ContractApp, type RunningApp, runAdapterContract } from '@postmark-smtp/testing'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { postmarkContext } from './index.js'

const start =
  (attachFieldsToBody: boolean) =>
  async ({ smtp, context, authenticate, routeFields, handle, stream }: ContractApp): Promise<RunningApp> => {
    const transporter = core.createPostmarkTransport(smtp.url)
    const app = fastify()
    // As most applications do it: nothing is awaited before the routes.
    app.register(formbody)
    if (attachFieldsToBody) app.register(multipart, { attachFieldsToBody: 'keyValues' })
    else app.register(multipart)
    app.register(postmarkContext, { fields: (request) => context(request) })
    app.addHook('preHandler', async (request) => authenticate(request))
    const answer = (request: FastifyRequest) => handle(request, request.body)
    app.get('/mail', answer)
    app.get('/route', { config: { postmark: routeFields } }, answer)
    app.post('/json', answer)
    app.post('/multipart', async (request) => {
      if (attachFieldsToBody) return handle(request, request.body)
      const file = await request.file()
      await file?.toBuffer()
      const subject = file?.fields.subject as { value: string }
      return handle(request, { subject: subject.value })
    })
    app.get('/stream', (_request, reply: FastifyReply) => {
      const parts = new PassThrough()
      reply.send(parts)
      stream((part) => parts.write(part)).then(
        () => parts.end(),
        (error) => parts.destroy(error),
      )
      return reply
    })
    return {
      url: await app.listen({ port: 0, host: '127.0.0.1' }),
      sendMail: (message) => transporter.sendMail(message),
      async close() {
        await app.close()
        await transporter.close()
      },
    }
  }

runAdapterContract({ name: 'Fastify', core, start: start(false) })
runAdapterContract({ name: 'Fastify with the fields of a form in the body', core, start: start(true) })
