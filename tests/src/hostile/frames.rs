//! What a server does with a WebSocket once it is open (RFC 6455 section 5).

use super::server::{Behaviour, Stream};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The right answer to the page's fixed key.
pub(super) const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(super) async fn after_switch(behaviour: Behaviour, mut stream: impl Stream) -> io::Result<()> {
    use Behaviour as B;
    stream.write_all(SWITCH.as_bytes()).await?;
    let s = &mut stream;
    match behaviour {
        B::PingFlood => loop {
            s.write_all(&b"\x89\x04ping".repeat(1000)).await?;
        },
        B::HugeFrame => s.write_all(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff").await?,
        B::EndlessFrame => {
            s.write_all(b"\x82\x7f\x00\x00\x00\xff\xff\xff\xff\xff").await?;
            loop {
                s.write_all(&[b'x'; 8192]).await?;
            }
        }
        B::FragmentedPing => s.write_all(b"\x09\x02pi\x80\x02ng").await?,
        B::LonelyContinuation => s.write_all(b"\x80\x03abc").await?,
        B::EndlessFragments => {
            s.write_all(b"\x01\x01a").await?;
            loop {
                s.write_all(&b"\x00\x01b".repeat(1000)).await?;
            }
        }
        B::MaskedFrames => s.write_all(b"\x81\x83\x01\x02\x03\x04`aa").await?,
        B::ReservedBits => s.write_all(b"\xf3\x03abc").await?,
        B::OddClose => s.write_all(b"\x88\x01\x03").await?,
        B::FrameGarbage => s.write_all(&b"\xff\x00HTTP/1.1 400 no\r\n\r\n".repeat(50)).await?,
        B::NotUtf8 => s.write_all(b"\x81\x04\xff\xfe\xc0\x80").await?,
        // Dropped with the client's frames unread, which the kernel answers with RST.
        B::ResetAfterSwitch => return s.read_u8().await.map(drop),
        _ => return echo(s).await,
    }
    let mut sink = [0; 4096];
    while s.read(&mut sink).await? > 0 {}
    Ok(())
}

/// Answers as a server should.
async fn echo(stream: &mut impl Stream) -> io::Result<()> {
    loop {
        let mut start = [0; 6];
        stream.read_exact(&mut start).await?;
        let mut payload = vec![0; usize::from(start[1] & 0x7f)];
        stream.read_exact(&mut payload).await?;
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= start[2 + at % 4];
        }
        let opcode = if start[0] == 0x89 { 0x8a } else { start[0] };
        stream.write_all(&[&[opcode, payload.len() as u8], &payload[..]].concat()).await?;
        if opcode == 0x88 {
            return stream.shutdown().await;
        }
    }
}
