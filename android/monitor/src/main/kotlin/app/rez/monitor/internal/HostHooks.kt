package app.rez.monitor.internal

import app.rez.monitor.HttpCall
import app.rez.monitor.HttpRequest
import app.rez.monitor.Settings

/** The hooks of the settings as the generated code calls them. An exception becomes the one that the library expects. */
internal fun hooks(settings: Settings): Hooks = Hooks(
    transport = settings.transport?.let { transport ->
        object : HostTransport {
            override fun send(request: HostRequest, call: HostCall) = guarded {
                OwnRequests.add(request.url)
                val headers = request.headers.associate { it.name to it.value }
                transport.send(HttpRequest(request.url, headers, request.body), HttpCall(call))
            }
        }
    },
    beforeSend = settings.beforeSend?.let { hook ->
        object : BeforeSend {
            override fun beforeSend(kind: String, rowJson: String): String? = guarded { hook.beforeSend(kind, rowJson) }
        }
    },
    logger = settings.logger?.let { logger ->
        object : HostLogger {
            override fun log(level: String, code: String, text: String) = guarded { logger.log(level, code, text) }
        }
    },
)

/** The hooks that will be set, as JNI `open` names them. */
internal fun wanted(settings: Settings): Int =
    (if (settings.transport != null) 1 else 0) or
        (if (settings.beforeSend != null) 2 else 0) or
        (if (settings.logger != null) 4 else 0)

internal fun hostResponse(status: Int, headers: Map<String, String>, body: ByteArray): HostResponse =
    HostResponse(status.coerceIn(0, 0xffff).toUShort(), headers.map { (name, value) -> TextPair(name, value) }, body)

private inline fun <T> guarded(call: () -> T): T = try {
    call()
} catch (reason: Throwable) {
    throw HostException.Thrown(reason.javaClass.name)
}
