// Makes a database for grype of vulnerabilities that are made up: a JSON list of them is read from
// standard input, and the file vulnerability.db written into the folder that the argument names.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
	_ "github.com/glebarez/sqlite"
)

type vulnerability struct {
	ID        string `json:"id"`
	Severity  string `json:"severity"`
	Title     string `json:"title"`
	Ecosystem string `json:"ecosystem"`
	Package   string `json:"package"`
	// Versions that are affected, such as "< 2.0.0".
	Versions string `json:"versions"`
	// Fixed is the version without it; empty when there is none.
	Fixed string `json:"fixed"`
}

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(folder string) error {
	var given []vulnerability
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		return err
	}
	db, err := v6.NewWriter(v6.Config{DBDirPath: folder})
	if err != nil {
		return err
	}
	if err := db.SetDBMetadata(); err != nil {
		return err
	}
	// All have one provider: a second one of its id, a moment later, would be refused.
	now := time.Now().UTC().Truncate(time.Second)
	provider := &v6.Provider{ID: "made-up", Version: "1", Processor: "test bed", DateCaptured: &now}
	for _, each := range given {
		if err := add(db, provider, each); err != nil {
			return err
		}
	}
	return db.Close()
}

func add(db v6.Writer, provider *v6.Provider, given vulnerability) error {
	handle := &v6.VulnerabilityHandle{
		Name:          given.ID,
		Status:        v6.VulnerabilityActive,
		PublishedDate: provider.DateCaptured,
		Provider:      provider,
		BlobValue: &v6.VulnerabilityBlob{
			ID:          given.ID,
			Description: given.Title,
			Severities:  []v6.Severity{{Scheme: v6.SeveritySchemeCHMLN, Value: given.Severity}},
		},
	}
	if err := db.AddVulnerabilities(handle); err != nil {
		return err
	}
	fix := &v6.Fix{State: v6.NotFixedStatus}
	if given.Fixed != "" {
		fix = &v6.Fix{State: v6.FixedStatus, Version: given.Fixed}
	}
	return db.AddAffectedPackages(&v6.AffectedPackageHandle{
		Vulnerability: handle,
		Package:       &v6.Package{Ecosystem: given.Ecosystem, Name: given.Package},
		BlobValue: &v6.PackageBlob{
			CVEs:   []string{given.ID},
			Ranges: []v6.Range{{Version: v6.Version{Type: "semver", Constraint: given.Versions}, Fix: fix}},
		},
	})
}
