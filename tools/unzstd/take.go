package main

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// take reads blobs one after the other, as the list names them, and writes each file once, held against its digest:
//
//	file BYTES SHA256 MODE PATH [PATH ...]
//	layer BYTES SHA256
//	take SHA256 MODE FROM PATH
//
// What is taken of a layer follows it in the list. Nothing is written but what is listed, and nothing is written over.
func take(from io.Reader, list io.Reader, to string) error {
	lines := bufio.NewScanner(list)
	var rows [][]string
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) > 0 {
			rows = append(rows, words)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	for i, row := range rows {
		var err error
		switch {
		case row[0] == "file" && len(row) >= 5:
			err = takeFile(from, row[1:], to)
		case row[0] == "layer" && len(row) == 3:
			err = takeLayer(from, row[1:], takesAfter(rows[i+1:]), to)
		case row[0] == "take" && len(row) == 5:
		default:
			err = fmt.Errorf("cannot read %q", strings.Join(row, " "))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func takesAfter(rows [][]string) map[string][]string {
	takes := map[string][]string{}
	for _, row := range rows {
		if row[0] != "take" || len(row) != 5 {
			break
		}
		takes[row[3]] = row[1:]
	}
	return takes
}

func takeFile(from io.Reader, row []string, to string) error {
	size, err := strconv.ParseInt(row[0], 10, 64)
	if err != nil {
		return err
	}
	first := filepath.Join(to, row[3])
	if err := write(io.LimitReader(from, size), first, row[1], row[2]); err != nil {
		return err
	}
	for _, path := range row[4:] {
		other := filepath.Join(to, path)
		if err := os.MkdirAll(filepath.Dir(other), 0o755); err != nil {
			return err
		}
		if err := os.Link(first, other); err != nil {
			return err
		}
	}
	return nil
}

func takeLayer(from io.Reader, row []string, takes map[string][]string, to string) error {
	size, err := strconv.ParseInt(row[0], 10, 64)
	if err != nil {
		return err
	}
	hash := sha256.New()
	blob := io.TeeReader(io.LimitReader(from, size), hash)
	layer := tar.NewReader(blob)
	for {
		header, err := layer.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		one, wanted := takes[header.Name]
		if !wanted || header.Typeflag != tar.TypeReg {
			continue
		}
		delete(takes, header.Name)
		if err := write(layer, filepath.Join(to, one[3]), one[0], one[1]); err != nil {
			return err
		}
	}
	for name := range takes {
		return fmt.Errorf("a layer has no %s", name)
	}
	if _, err := io.Copy(io.Discard, blob); err != nil {
		return err
	}
	return same(hash.Sum(nil), row[1], "a layer")
}

func write(content io.Reader, path, digest, mode string) error {
	bits, err := strconv.ParseUint(mode, 8, 9)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash), content); err != nil {
		return err
	}
	if err := same(hash.Sum(nil), digest, path); err != nil {
		return err
	}
	return file.Chmod(fs.FileMode(bits))
}

func same(sum []byte, digest, what string) error {
	if hex.EncodeToString(sum) == digest {
		return nil
	}
	return fmt.Errorf("%s is not what the list says", what)
}
