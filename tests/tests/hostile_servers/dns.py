"""A name server that keeps to no protocol, on 127.0.0.53 of a namespace of its
own: dns.py BEHAVIOUR PROGRAM..., which is run there."""
import fcntl, os, socket, struct, subprocess, sys, threading

behaviour = sys.argv[1]

# The loopback interface of a new namespace is down.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    request = struct.pack("16sH14s", b"lo", 0, b"")
    flags = struct.unpack("16sH14s", fcntl.ioctl(control, 0x8913, request))[1]
    fcntl.ioctl(control, 0x8914, struct.pack("16sH14s", b"lo", flags | 1, b""))


def name(text):
    return b"".join(bytes([len(part)]) + part for part in text.encode().split(b".")) + b"\0"


def record(kind, data, owner=b"\xc0\x0c"):
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def address(number):
    return bytes([127, 1 + (number >> 16), (number >> 8) & 255, number & 255])


def answer(query, tcp):
    """The answer's bytes; None for none."""
    ident, question, end = query[:2], query[12:], 12
    while query[end]:
        end += query[end] + 1
    question, kind = query[12 : end + 5], struct.unpack(">H", query[end + 1 : end + 3])[0]

    def message(records, flags=0x8180, count=None):
        count = len(records) if count is None else count
        return ident + struct.pack(">5H", flags, 1, count, 0, 0) + question + b"".join(records)

    if behaviour == "silence":
        return None
    if behaviour == "nxdomain":
        return message([], 0x8183)
    if behaviour == "garbage":
        return ident + os.urandom(200)
    if behaviour == "other-id":
        return bytes([ident[0] ^ 255, ident[1]]) + message([record(1, address(1))])[2:]
    if behaviour == "pointer-loop":
        # The owner's name points to itself.
        at = 12 + len(question)
        return message([record(kind, address(1), struct.pack(">H", 0xC000 | at))])
    if behaviour == "alias-loop":
        a, b = name("console.example"), name("b.example")
        return message([record(5, b, a), record(5, a, b)] * 20)
    if behaviour == "endless-aliases":
        names = [name(f"{'x' * 50}{n}.example") for n in range(200 if tcp else 5)]
        flags = 0x8180 if tcp else 0x8380
        return message([record(5, new, old) for old, new in zip(names, names[1:])], flags)
    if behaviour == "huge-texts":
        if not tcp:
            return message([], 0x8380)
        text = b"\xff" + b"t" * 255
        return message([record(16, text * 200)] + ([record(1, address(1))] if kind == 1 else []))
    if behaviour == "truncated-without-end":
        return message([], 0x8380)
    if kind != 1:
        return message([])
    if behaviour.startswith("thousand-addresses"):
        if not tcp:
            return message([record(1, address(n)) for n in range(1, 20)], 0x8380)
        return message([record(1, address(n)) for n in range(1, 1001)])
    return message([record(1, address(1))])


def console(connection):
    """A console that says little: a page, and a WebSocket that echoes (RFC 6455)."""
    with connection, connection.makefile("rb") as stream:
        while True:
            head = b""
            while line := stream.readline():
                head += line
                if line == b"\r\n":
                    break
            if not head.endswith(b"\r\n\r\n"):
                return
            if b"upgrade: websocket" in head.lower():
                break
            page = b'<title>BindPlane</title><div id="root"/>'
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        while len(start := stream.read(6)) == 6:
            payload = stream.read(start[1] & 127)
            plain = bytes(byte ^ start[2 + at % 4] for at, byte in enumerate(payload))
            kind = 0x8A if start[0] == 0x89 else start[0]
            connection.sendall(bytes([kind, len(plain)]) + plain)
            if kind == 0x88:
                return


def consoles(listener):
    while True:
        threading.Thread(target=console, args=(listener.accept()[0],), daemon=True).start()


def udp(listener):
    while True:
        query, client = listener.recvfrom(4096)
        reply = answer(query, False)
        if reply is not None:
            for _ in range(50 if behaviour == "other-id" else 1):
                listener.sendto(reply, client)


def one(connection):
    with connection, connection.makefile("rb") as stream:
        # Both families' questions come one behind the other (RFC 7766 section 6.2.1).
        while len(length := stream.read(2)) == 2:
            reply = answer(stream.read(struct.unpack(">H", length)[0]), True)
            if behaviour == "truncated-without-end":
                connection.sendall(struct.pack(">H", 60000))
                while stream.read(1) != b"":
                    pass
            elif reply is not None:
                connection.sendall(struct.pack(">H", len(reply)) + reply)


def tcp(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(connection,), daemon=True).start()


for kind, serve in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, tcp)):
    listener = socket.socket(socket.AF_INET, kind)
    listener.bind(("127.0.0.53", 53))
    if kind == socket.SOCK_STREAM:
        listener.listen(50)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()

if behaviour == "thousand-addresses-one-listens":
    # Behind forty that refuse.
    listener = socket.create_server((socket.inet_ntoa(address(41)), 4444), backlog=50)
    threading.Thread(target=consoles, args=(listener,), daemon=True).start()

code = subprocess.call(sys.argv[2:])
sys.stdout.flush()
os._exit(code if code >= 0 else 128 - code)
