import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as core from '@postmark-smtp/core'
import { type RunningApp, runAdapterContract } from '@postmark-smtp/testing'
import express5 from 'express'
import express4 from 'express4'
import multer2 from 'multer'
import multer1 from 'multer1'
import { postmarkContext, reenterPostmark } from './index.js'

runAdapterContract({
  name: 'Express 5',
  core,
  start: async ({ smtp, context, authenticate, routeFields, handle, stream }) => {
    const transporter = core.createPostmarkTransport(smtp.url)
    const answer: express5.RequestHandler = async (req, res) => {
      res.send(await handle(req, req.body))
    }
    const app = express5().set('env', 'test') // Express prints no error then
    app.use(postmarkContext(context), (req, _res, next) => {
      authenticate(req)
      next()
    })
    app.get('/mail', answer)
    app.get('/route', postmarkContext(routeFields), answer)
    app.post('/json', express5.json(), answer)
    app.post('/multipart', multer2().single('file'), answer)
    app.get('/stream', async (_req, res) => {
      await stream((part) => res.write(part))
      res.end()
    })
    return listen(app, transporter)
  },
})

runAdapterContract({
  name: 'Express 4 with multer 1',
  core,
  start: async ({ smtp, context, authenticate, routeFields, handle, stream }) => {
    const transporter = core.createPostmarkTransport(smtp.url)
    const answer: express4.RequestHandler = (req, res, next) => {
      handle(req, req.body).then((text) => res.send(text), next)
    }
    const app = express4().set('env', 'test')
    app.use(postmarkContext(context), (req, _res, next) => {
      authenticate(req)
      next()
    })
    app.get('/mail', answer)
    app.get('/route', postmarkContext(routeFields), answer)
    app.post('/json', express4.json(), answer)
    app.post('/multipart', multer1().single('file') as never, reenterPostmark(), answer)
    app.get('/stream', (_req, res, next) => {
      stream((part) => res.write(part)).then(() => res.end(), next)
    })
    return listen(app, transporter)
  },
})

async function listen(app: RequestListener, transporter: core.PostmarkTransporter): Promise<RunningApp> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendMail: (message) => transporter.sendMail(message),
    async close() {
      server.close()
      server.closeAllConnections()
      await transporter.close()
    },
  }
}
