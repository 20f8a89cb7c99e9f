//! PNG pictures as browsers write them: 8 bits, three or four channels, not interlaced (RFC 2083).

#![allow(dead_code, reason = "each test binary uses a part")]

/// A picture.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    channels: usize,
    bytes: Vec<u8>,
}

impl Picture {
    pub fn of(png: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        Self {
            width: info.width as usize,
            height: info.height as usize,
            channels: info.color_type.samples(),
            bytes,
        }
    }

    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * self.channels;
        [0, 1, 2].map(|c| self.bytes[at + c])
    }

    /// The part of a region whose pixels are not of its most frequent colour.
    pub fn drawn(&self, [left, top, right, bottom]: [usize; 4]) -> f64 {
        let mut colours = std::collections::BTreeMap::<[u8; 3], usize>::new();
        for y in top..bottom.min(self.height) {
            for x in left..right.min(self.width) {
                *colours.entry(self.pixel(x, y)).or_default() += 1;
            }
        }
        let all: usize = colours.values().sum();
        1.0 - colours.values().max().copied().unwrap_or(0) as f64 / all.max(1) as f64
    }

    /// Brightness of the upper left corner, 0 to 255.
    pub fn paper(&self) -> u8 {
        self.pixel(2, 2)[1]
    }
}
