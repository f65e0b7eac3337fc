import multipart from '@fastify/multipart'
import {
  Body,
  Controller,
  type DynamicModule,
  Get,
  HttpCode,
  type INestApplication,
  Post,
  Req,
  Res,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { FileInterceptor } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { currentPostmark, runWithPostmark, updatePostmark } from '@postmark-smtp/core'
import {
  type ContractApp,
  type ContractRequest,
  type RunningApp,
  runAdapterContract,
} from '@postmark-smtp/testing'
import { PostmarkMailer, PostmarkSmtpModule, WithPostmark } from './index.js'

const core = { runWithPostmark, currentPostmark, updatePostmark }
const logger = false

runAdapterContract({
  name: 'Nest on Express',
  core,
  start: async (app) => run(await NestFactory.create(toModule(app, FileInterceptor('file')), { logger })),
})

runAdapterContract({
  name: 'Nest on Fastify',
  core,
  start: async (app) => {
    const nest = await NestFactory.create<NestFastifyApplication>(toModule(app), new FastifyAdapter(), {
      logger,
    })
    await nest.register(multipart, { attachFieldsToBody: 'keyValues' })
    return run(nest)
  },
})

function toModule(
  { smtp, context, authenticate, routeFields, handle, stream }: ContractApp,
  ...multipartInterceptors: Parameters<typeof UseInterceptors>
): DynamicModule {
  @Controller()
  class ContractController {
    @Get('mail')
    mail(@Req() request: ContractRequest) {
      return handle(request)
    }

    @WithPostmark(routeFields)
    @Get('route')
    route(@Req() request: ContractRequest) {
      return handle(request)
    }

    @Post('json')
    json(@Req() request: ContractRequest, @Body() body: unknown) {
      return handle(request, body)
    }

    @Post('multipart')
    @HttpCode(200)
    @UseInterceptors(...multipartInterceptors)
    multipart(@Req() request: ContractRequest, @Body() body: unknown, @UploadedFile() _file: unknown) {
      return handle(request, body)
    }

    @Get('stream')
    async stream(@Res() reply: { raw?: NodeJS.WritableStream }) {
      // Express's response is Node's own; Fastify's reply has it inside.
      const response = reply.raw ?? (reply as NodeJS.WritableStream)
      await stream((part) => response.write(part))
      response.end()
    }
  }
  class ContractModule {}
  return {
    module: ContractModule,
    imports: [PostmarkSmtpModule.forRoot({ url: smtp.url, context: (request) => context(request) })],
    controllers: [ContractController],
    providers: [
      {
        provide: APP_GUARD,
        useValue: {
          canActivate: (guarded: { switchToHttp(): { getRequest(): ContractRequest } }) => {
            authenticate(guarded.switchToHttp().getRequest())
            return true
          },
        },
      },
    ],
  }
}

async function run(app: INestApplication): Promise<RunningApp> {
  await app.listen(0, '127.0.0.1')
  const mailer = app.get(PostmarkMailer, { strict: false })
  return { url: await app.getUrl(), sendMail: (message) => mailer.send(message), close: () => app.close() }
}
