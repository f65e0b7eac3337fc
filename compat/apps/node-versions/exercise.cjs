/** Loads every entry point of every published package, and sends mail from a script, from Express and from Nest. */
const assert = require('node:assert/strict')
const { readdirSync, readFileSync } = require('node:fs')
require('reflect-metadata')

/** Those that only load inside a test runner; the applications with Vitest and with Jest load them. */
const IN_A_RUNNER = ['./vitest', './jest']

module.exports = async (load) => {
  const entries = readdirSync('node_modules/@postmark-smtp').flatMap(listEntries)
  for (const entry of entries)
    assert.notEqual(Object.keys(await load(entry)).length, 0, `${entry} exports nothing`)

  const { createPostmarkTransport } = await load('@postmark-smtp/core')
  const { startSandbox } = await load('@postmark-smtp/sandbox')
  const sandbox = await startSandbox()
  const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' }
  const transporter = createPostmarkTransport(sandbox.url)
  await transporter.sendMail({ ...mail, postmark: { tag: 'script', metadata: { tenant: 'acme' } } })
  await sendFromExpress(load, transporter, mail)
  await sendFromNest(load, sandbox.url, mail)

  assert.deepEqual(
    sandbox.outbox.map(({ postmark }) => [postmark.tag, { ...postmark.metadata }]),
    ['script', 'express', 'nest'].map((tag) => [tag, { tenant: 'acme' }]),
  )
  await transporter.close()
  await sandbox.close()
  console.log(
    `Node ${process.versions.node}, ${entries.length} entry points, ${sandbox.outbox.length} emails`,
  )
}

function listEntries(folder) {
  const manifest = JSON.parse(readFileSync(`node_modules/@postmark-smtp/${folder}/package.json`, 'utf8'))
  const paths = Object.keys(manifest.exports).filter(
    (path) => path !== './package.json' && !IN_A_RUNNER.includes(path),
  )
  return paths.map((path) => manifest.name + path.slice(1))
}

async function sendFromExpress(load, transporter, mail) {
  const { default: express } = await import('express')
  const { postmarkContext } = await load('@postmark-smtp/express')
  const app = express()
  app.use(postmarkContext({ tag: 'express', metadata: { tenant: 'acme' } }))
  app.post('/', async (_request, response) => {
    await transporter.sendMail(mail)
    response.end()
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: 'POST' })
  assert.equal(response.status, 200)
  await new Promise((resolve) => server.close(resolve))
}

async function sendFromNest(load, url, mail) {
  const { Module } = await load('@nestjs/common')
  const { NestFactory } = await load('@nestjs/core')
  const { PostmarkMailer, PostmarkSmtpModule } = await load('@postmark-smtp/nestjs')
  const { runWithPostmark } = await load('@postmark-smtp/core')
  class AppModule {}
  Module({ imports: [PostmarkSmtpModule.forRoot({ url })] })(AppModule)
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })
  await runWithPostmark({ tag: 'nest', metadata: { tenant: 'acme' } }, () =>
    app.get(PostmarkMailer).send(mail),
  )
  await app.close()
}
