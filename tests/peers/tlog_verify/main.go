// Checks an exported ledger with nothing of Sinetti's: golang.org/x/mod/sumdb, as it serves Go's own checksum database.
//
//	tlog_verify DIR [OLDER]
//
// DIR is what `sinetti ledger export` wrote, OLDER an earlier export of the same log: the one must go on from the other.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog_verify DIR [OLDER]")
		os.Exit(2)
	}
	tree, err := check(os.Args[1])
	if err == nil && len(os.Args) == 3 {
		err = goesOn(os.Args[1], tree, os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "REFUSED:", err)
		os.Exit(1)
	}
	fmt.Printf("%d entries, root %v\n", tree.N, tree.Hash)
}

// The signed root.
func checkpoint(dir string) (tlog.Tree, error) {
	var tree tlog.Tree
	key, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(strings.TrimSuffix(string(key), "\n"))
	if err != nil {
		return tree, fmt.Errorf("key: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tree, errors.New("checkpoint: not three lines under the name of the key")
	}
	if _, err := fmt.Sscanf(lines[1], "%d", &tree.N); err != nil || fmt.Sprint(tree.N) != lines[1] {
		return tree, errors.New("checkpoint: no size")
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// Where a tile lies (C2SP tlog-tiles; Go's own path has the height in it).
func place(number int64, width int) string {
	path := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	if width < 1<<height {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// Gives tiles to Go's reader, which compares them with the root.
type tiles struct{ dir string }

func (t tiles) Height() int                     { return height }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.dir, "tile", fmt.Sprint(tile.L), place(tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d/%d has %d bytes", tile.L, tile.N, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

// All entries of a bundle.
func bundle(dir string, number int64, width int) ([][]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, "tile", "entries", place(number, width)))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %d is cut short", number)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(entries) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", number, len(entries), width)
	}
	return entries, nil
}

// Root over a full tile.
func over(hashes []tlog.Hash) tlog.Hash {
	for len(hashes) > 1 {
		for i := 0; i < len(hashes)/2; i++ {
			hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
		hashes = hashes[:len(hashes)/2]
	}
	return hashes[0]
}

// Every tile of a level against the hashes that it must hold; the hashes of the level above.
func level(dir string, l int, hashes []tlog.Hash) ([]tlog.Hash, error) {
	var above []tlog.Hash
	for number := 0; number<<height < len(hashes); number++ {
		width := len(hashes) - number<<height
		if width > 1<<height {
			width = 1 << height
		}
		read, err := tiles{dir}.ReadTiles([]tlog.Tile{{H: height, L: l, N: int64(number), W: width}})
		if err != nil {
			return nil, err
		}
		mine := hashes[number<<height : number<<height+width]
		for i, hash := range mine {
			if string(read[0][i*tlog.HashSize:(i+1)*tlog.HashSize]) != string(hash[:]) {
				return nil, fmt.Errorf("tile %d/%d: hash %d is another", l, number, i)
			}
		}
		if width == 1<<height {
			above = append(above, over(append([]tlog.Hash(nil), mine...)))
		}
	}
	return above, nil
}

func check(dir string) (tlog.Tree, error) {
	tree, err := checkpoint(dir)
	if err != nil {
		return tree, err
	}
	reader := tlog.TileHashReader(tree, tiles{dir})
	var leaves []tlog.Hash
	first := int64(-1)
	for number := int64(0); number<<height < tree.N; number++ {
		width := tree.N - number<<height
		if width > 1<<height {
			width = 1 << height
		}
		entries, err := bundle(dir, number, int(width))
		if err != nil {
			return tree, err
		}
		for _, entry := range entries {
			index := int64(len(leaves))
			leaf := tlog.RecordHash(entry)
			leaves = append(leaves, leaf)
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			if err != nil {
				return tree, fmt.Errorf("entry at %d: %w", index, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
				return tree, fmt.Errorf("entry at %d: %w", index, err)
			}
			var said struct{ Seq int64 }
			if err := json.Unmarshal(entry, &said); err != nil {
				return tree, fmt.Errorf("entry at %d: %w", index, err)
			}
			if first < 0 {
				first = said.Seq
			}
			if said.Seq != first+index {
				return tree, fmt.Errorf("entry at %d has the number %d", index, said.Seq)
			}
		}
	}
	for l, hashes := 0, leaves; len(hashes) > 0; l++ {
		if hashes, err = level(dir, l, hashes); err != nil {
			return tree, err
		}
	}
	return tree, nil
}

// The tree in dir begins with the one in older.
func goesOn(dir string, tree tlog.Tree, older string) error {
	old, err := checkpoint(older)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, tiles{dir}))
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	return nil
}
