import { Inject, Injectable } from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus'
import { type HealthReport, type PostmarkHealthOptions, postmarkHealth } from '@postmark-smtp/core'
import { getPostmarkToken } from './postmark-token.js'

/** Options of {@link PostmarkHealthIndicator.isHealthy}. */
export interface PostmarkIndicatorOptions extends PostmarkHealthOptions {
  /** As passed to `PostmarkSmtpModule.forRoot({ name })`. */
  readonly name?: string
}

/**
 * Reports to @nestjs/terminus whether Postmark accepts the login. It logs in, sends nothing, and caches the result for a
 * minute, so not every probe logs in. Add it to the providers of the module with the health check.
 */
@Injectable()
export class PostmarkHealthIndicator {
  private readonly checks = new Map<string, () => Promise<HealthReport>>()

  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  /**
   * Returns up or down, with the time and duration of the check. A failure has a code, but never a token or a host.
   * @param options apply from the first call with a key; later ones are ignored
   * @example health.check([() => postmark.isHealthy('mail'), () => postmark.isHealthy('news', { name: 'news' })])
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  async isHealthy<const Key extends string>(
    key: Key,
    options: PostmarkIndicatorOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const check = this.checks.get(key) ?? this.createCheck(key, options)
    const { ok, ...details } = await check()
    const indicator = this.indicators.check(key)
    return ok ? indicator.up(details) : indicator.down(details)
  }

  private createCheck(
    key: string,
    { name, ...options }: PostmarkIndicatorOptions,
  ): () => Promise<HealthReport> {
    const check = postmarkHealth(this.modules.get(getPostmarkToken(name), { strict: false }), options)
    this.checks.set(key, check)
    return check
  }
}
