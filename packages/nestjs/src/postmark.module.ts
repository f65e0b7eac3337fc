import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common'
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core'
import type { PostmarkTransporter } from '@postmark-smtp/core'
import { createTransporter } from './create-transporter.js'
import { openRequestScope } from './open-request-scope.js'
import { ConfigurableModuleClass, POSTMARK_OPTIONS } from './postmark.module-definition.js'
import { PostmarkMailer } from './postmark-mailer.service.js'
import { PostmarkMessageInterceptor } from './postmark-message.interceptor.js'
import type { PostmarkModuleExtras, PostmarkModuleOptions } from './postmark-module-options.interface.js'
import { getPostmarkToken } from './postmark-token.js'

/** The transporter of one module, whatever its name. */
const TRANSPORTER = Symbol('PostmarkTransporter of this module')

const interceptor: Provider = { provide: APP_INTERCEPTOR, useClass: PostmarkMessageInterceptor }

/**
 * Provides a transporter, and a {@link PostmarkMailer} where the module has no name. It is closed when the
 * application shuts down, behind every hook of the modules that import it.
 */
@Module({})
export class PostmarkSmtpModule extends ConfigurableModuleClass implements NestModule, OnApplicationShutdown {
  /**
   * Takes the options as they are. Wrong ones stop the application at start.
   * @example PostmarkSmtpModule.forRoot({ serverToken, context: (request) => ({ metadata: { path: request.url } }) })
   */
  static override forRoot(options: PostmarkModuleExtras & PostmarkModuleOptions): DynamicModule {
    const interceptors = options.messageContext === undefined ? [] : [interceptor]
    return withTransporter(ConfigurableModuleClass.forRoot(options), options.name, interceptors)
  }

  /**
   * Takes the options from a factory, a class or a provider, with what they inject.
   * @example PostmarkSmtpModule.forRootAsync({ inject: [ConfigService], useFactory: (config) => config.get('mail') })
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<PostmarkModuleOptions, 'createPostmarkOptions'> &
      PostmarkModuleExtras,
  ): DynamicModule {
    return withTransporter(ConfigurableModuleClass.forRootAsync(options), options.name, [interceptor])
  }

  constructor(
    @Inject(POSTMARK_OPTIONS) private readonly options: PostmarkModuleOptions,
    @Inject(TRANSPORTER) private readonly transporter: PostmarkTransporter,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    super()
  }

  /** Called by Nest before it registers middleware and routes. */
  configure(): void {
    const { context } = this.options
    if (context) openRequestScope(this.adapterHost.httpAdapter, context)
  }

  /** Called by Nest behind the last request. */
  async onApplicationShutdown(): Promise<void> {
    // A transporter that a test puts in its place may have no close.
    await this.transporter.close?.()
  }
}

function withTransporter(
  definition: DynamicModule,
  name: string | undefined,
  interceptors: readonly Provider[],
): DynamicModule {
  const token = getPostmarkToken(name)
  const mailers = name === undefined ? [PostmarkMailer] : []
  return {
    ...definition,
    module: PostmarkSmtpModule,
    providers: [
      ...(definition.providers ?? []),
      {
        provide: token,
        useFactory: (options: PostmarkModuleOptions) => createTransporter(options, name),
        inject: [POSTMARK_OPTIONS],
      },
      { provide: TRANSPORTER, useExisting: token },
      ...mailers,
      ...interceptors,
    ],
    // The options are for PostmarkMessageInterceptor, which a gateway may name.
    exports: [token, ...mailers, ...(name === undefined ? [POSTMARK_OPTIONS] : [])],
  }
}
