package app.rez.monitor

import java.io.DataInputStream
import java.io.File

/** What a compiled class has. Not by reflection: that would load Android's classes, which are not there. */
class ClassFile(file: File) {
    private val constants = HashMap<Int, String>()
    private val found = HashSet<String>()

    /** Whether a method is bound to native code. */
    var hasNative = false
        private set

    /** Texts and names. */
    val texts: Collection<String> get() = constants.values

    /** `text(Ljava/lang/String;)V` of each method. */
    val methods: Set<String> get() = found

    init {
        DataInputStream(file.inputStream().buffered()).use { read(it, file) }
    }

    private fun read(input: DataInputStream, file: File) {
        input.skipBytes(8)
        var index = 1
        val count = input.readUnsignedShort()
        while (index < count) {
            when (val tag = input.readUnsignedByte()) {
                1 -> constants[index] = input.readUTF()
                3, 4, 9, 10, 11, 12, 17, 18 -> input.skipBytes(4)
                5, 6 -> {
                    input.skipBytes(8)
                    index++
                }
                7, 8, 16, 19, 20 -> input.skipBytes(2)
                15 -> input.skipBytes(3)
                else -> error("constant $tag in $file")
            }
            index++
        }
        input.skipBytes(6)
        input.skipBytes(2 * input.readUnsignedShort())
        for (isMethod in listOf(false, true)) repeat(input.readUnsignedShort()) { member(input, isMethod) }
    }

    private fun member(input: DataInputStream, isMethod: Boolean) {
        val flags = input.readUnsignedShort()
        val name = constants[input.readUnsignedShort()] + constants[input.readUnsignedShort()]
        if (isMethod) {
            found += name
            if (flags and NATIVE != 0) hasNative = true
        }
        repeat(input.readUnsignedShort()) {
            input.skipBytes(2)
            input.skipNBytes(input.readInt().toLong())
        }
    }

    private companion object {
        const val NATIVE = 0x0100
    }
}
