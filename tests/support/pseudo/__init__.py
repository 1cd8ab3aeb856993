"""A language of accents, `⟦ļíķé ŧħíš‥‥⟧`, in the place of English while tests run; they read English."""
