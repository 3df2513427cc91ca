// SPDX-License-Identifier: Apache-2.0
package odradek;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The C program at the other end of two pipes; peer.c has the format. */
final class Peer implements AutoCloseable {
    /** What C says of a message. */
    record Verdict(boolean decoded, byte[] bytes, String json, boolean otherOk, byte[] other) {
    }

    private final Process process;
    private final DataOutputStream to;
    private final DataInputStream from;

    Peer(String program) throws IOException {
        process = new ProcessBuilder(program).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        to = new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), 1 << 16));
        from = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16));
    }

    String facts(char op) throws IOException {
        begin(op, "", 0, 0);
        to.flush();
        return text(blob());
    }

    Verdict defaults(String name, int version) throws IOException {
        begin('D', name, version, 0);
        to.flush();
        return verdict();
    }

    /** Each frame is decoded at version, and encoded at it and at another one. */
    List<Verdict> judge(String name, int version, List<byte[]> frames, List<Short> others)
            throws IOException {
        begin('R', name, version, frames.size());
        for (int i = 0; i < frames.size(); i++) {
            to.writeInt(frames.get(i).length);
            to.write(frames.get(i));
            to.writeShort(others.get(i));
        }
        return verdicts(frames.size());
    }

    List<Verdict> random(String name, int version, int count, long seed) throws IOException {
        begin('G', name, version, count);
        to.writeLong(seed);
        return verdicts(count);
    }

    private void begin(char op, String name, int version, int count) throws IOException {
        to.writeByte(op);
        to.writeInt(name.length());
        to.writeBytes(name);
        to.writeShort(version);
        to.writeInt(count);
    }

    private List<Verdict> verdicts(int count) throws IOException {
        to.flush();
        List<Verdict> all = new ArrayList<>(count);
        for (int i = 0; i < count; i++)
            all.add(verdict());
        return all;
    }

    private Verdict verdict() throws IOException {
        boolean decoded = from.readBoolean();
        byte[] bytes = blob();
        String json = text(blob());
        boolean otherOk = from.readBoolean();
        if (decoded)
            return new Verdict(true, bytes, json, otherOk, blob());
        blob();
        return new Verdict(false, bytes, json, false, blob());
    }

    private byte[] blob() throws IOException {
        byte[] bytes = new byte[from.readInt()];
        from.readFully(bytes);
        return bytes;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        to.close();
        if (process.waitFor() != 0)
            throw new IOException("the C side ended with status " + process.exitValue());
    }
}
