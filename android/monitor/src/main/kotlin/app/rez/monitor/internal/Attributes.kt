package app.rez.monitor.internal

/** Values of attributes as the engine knows them: null, Boolean, Long, Double, String, List, Map. Every other one becomes one of them. */
internal fun plain(value: Any?): Any? = when (value) {
    null, is Boolean, is Int, is Long, is Double, is String, is Map<*, *>, is List<*> -> value
    is Float -> value.toString().toDouble()
    is Byte, is Short, is java.util.concurrent.atomic.AtomicInteger, is java.util.concurrent.atomic.AtomicLong ->
        (value as Number).toLong()
    is Number -> value.toDouble()
    is UInt -> value.toLong()
    is Enum<*> -> value.name
    is Iterable<*> -> value.toList()
    is Array<*> -> value.asList()
    is IntArray -> value.asList()
    is LongArray -> value.asList()
    is DoubleArray -> value.asList()
    is FloatArray -> value.asList()
    is BooleanArray -> value.asList()
    else -> try {
        value.toString()
    } catch (_: Throwable) {
        value.javaClass.name
    }
}

/** Attributes of the generated calls. */
internal fun attrs(values: Map<*, *>, depth: Int = 1): List<Attr> =
    values.entries.map { (name, value) -> Attr(name.toString(), attrValue(value, depth)) }

internal fun attrValue(value: Any?, depth: Int = 1): AttrValue = when (value) {
    null -> AttrValue.Null
    is String -> AttrValue.Text(value)
    is Boolean -> AttrValue.Bool(value)
    is Int -> AttrValue.Int(value.toLong())
    is Long -> AttrValue.Int(value)
    is Double -> AttrValue.Float(value)
    is Map<*, *> -> if (depth >= HotRecord.DEPTH) AttrValue.Null else AttrValue.Map(attrs(value, depth + 1))
    is List<*> ->
        if (depth >= HotRecord.DEPTH) AttrValue.Null else AttrValue.List(value.map { attrValue(it, depth + 1) })
    else -> attrValue(plain(value), depth)
}
