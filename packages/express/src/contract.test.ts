import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as core from '@postmark-smtp/core'
import { type ContractApp, type RunningApp, runAdapterContract } from '@postmark-smtp/testing'
import express5, { type RequestHandler } from 'express'
import express4 from 'express4'
import multer2 from 'multer'
import multer1 from 'multer1'
import { postmarkContext, reenterPostmark } from './index.js'

runAdapterContract({
  name: 'Express 5',
  core,
  start: (contract) => start(express5(), contract, [multer2().single('file')]),
})

runAdapterContract({
  name: 'Express 4 with multer 1',
  core,
  start: (contract) => start(express4() as never, contract, [multer1().single('file') as never, reenterPostmark()]),
})

async function start(
  app: ReturnType<typeof express5>,
  { smtp, context, authenticate, routeFields, handle, stream }: ContractApp,
  multipart: RequestHandler[],
): Promise<RunningApp> {
  const transporter = core.createPostmarkTransport(smtp.url)
  const answer: RequestHandler = (req, res, next) => {
    handle(req, req.body).then((text) => res.send(text), next)
  }
  app.set('env', 'test') // Express prints no error then
  app.use(postmarkContext(context))
  app.use((req, _res, next) => {
    authenticate(req)
    next()
  })
  app.get('/mail', answer)
  app.get('/route', postmarkContext(routeFields), answer)
  app.post('/json', express5.json(), answer)
  app.post('/multipart', multipart, answer)
  app.get('/stream', (_req, res, next) => {
    stream((part) => res.write(part)).then(() => res.end(), next)
  })

  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendMail: (message) => transporter.sendMail(message),
    async close() {
      server.closeAllConnections()
      server.close()
      await transporter.close()
    },
  }
}
