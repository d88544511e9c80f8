//! Text in pieces: whoever takes it keeps what it needs, and all of it need not be anywhere at once.

/// Bytes of a piece, but for the rare one that ends in a longer line. What compresses a piece finds it in the cache.
const PIECE_BYTES: usize = 256 << 10;

/// Room that a line has in a piece. A longer one makes the piece larger.
const LINE_BYTES: usize = 1024;

/// Who takes the pieces, each with at least one byte. What it leaves in a piece is written over.
pub type Take<'t> = &'t mut dyn FnMut(&mut Vec<u8>);

/// The piece that is being written.
pub(super) struct Pieces<'t> {
    piece: Vec<u8>,
    take: Take<'t>,
}

impl<'t> Pieces<'t> {
    /// Nothing yet.
    pub(super) fn new(take: Take<'t>) -> Pieces<'t> {
        Pieces { piece: Vec::with_capacity(PIECE_BYTES), take }
    }

    /// Where the next line goes. It may have been another piece for the line before.
    pub(super) fn line(&mut self) -> &mut Vec<u8> {
        if self.piece.len() + LINE_BYTES > PIECE_BYTES {
            self.hand_over();
            self.piece.reserve(PIECE_BYTES);
        }
        &mut self.piece
    }

    /// Hands over the last piece.
    pub(super) fn finish(mut self) {
        if !self.piece.is_empty() {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        (self.take)(&mut self.piece);
        self.piece.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: [u8; 1000] = [b'x'; 1000];

    fn pieces_of(lines: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut take = |piece: &mut Vec<u8>| all.push(std::mem::take(piece));
        let mut pieces = Pieces::new(&mut take);
        (0..lines).for_each(|_| pieces.line().extend(LINE));
        pieces.finish();
        all
    }

    #[test]
    fn pieces_are_bounded_never_empty_and_never_moved() {
        for lines in [0, 1, 261, 262, 263, 1000] {
            let pieces = pieces_of(lines);
            assert_eq!(pieces.concat().len(), lines * LINE.len());
            for piece in &pieces {
                assert!(!piece.is_empty() && piece.capacity() == PIECE_BYTES, "{}", piece.capacity());
            }
            assert_eq!(pieces.len(), lines.div_ceil(262), "{lines} lines");
        }
    }

    #[test]
    fn what_is_left_in_a_piece_is_written_over() {
        let (mut bytes, mut places) = (0, std::collections::BTreeSet::new());
        let mut look = |piece: &mut Vec<u8>| {
            bytes += piece.len();
            places.insert(piece.as_ptr() as usize);
        };
        let mut pieces = Pieces::new(&mut look);
        (0..1000).for_each(|_| pieces.line().extend(LINE));
        pieces.finish();
        assert_eq!((bytes, places.len()), (1000 * LINE.len(), 1));
    }

    #[test]
    fn a_line_may_be_longer_than_a_piece() {
        let mut all = Vec::new();
        let mut take = |piece: &mut Vec<u8>| all.append(piece);
        let mut pieces = Pieces::new(&mut take);
        let long = vec![b'y'; 3 * PIECE_BYTES];
        pieces.line().extend(LINE);
        pieces.line().extend(&long);
        pieces.line().extend(LINE);
        pieces.finish();
        assert!(all == [&LINE[..], &long, &LINE].concat());
    }
}
