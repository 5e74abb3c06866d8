import { SimpleGrid, Stack, Title } from "@mantine/core";

import type { StepProps } from "../Connector";
import { ValueField } from "./fields";

const PAGINATION = [
  { value: "page", label: "page: pages are numbered" },
  { value: "offset", label: "offset: records are skipped" },
  { value: "cursor", label: "cursor: a token names the next page" },
];

/** Where the provider's API begins and how it pages. */
export default function PropertiesStep(props: StepProps) {
  return (
    <Stack maw={820}>
      <ValueField {...props} entry="base.url" label="Base URL" description="Where the provider's API begins. Parts that differ per account stand in braces: https://{subdomain}.example.com/v1." placeholder="https://api.example.com/v1" mono />
      <Title order={2} mt="sm">
        Paging of calls
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <ValueField {...props} entry="pagination.type" label="Pagination type" kind={PAGINATION} placeholder="none declared" />
        <ValueField {...props} entry="pagination.max" label="Maximum page size" placeholder="not limited" />
        <ValueField {...props} entry="pagination.page.startindex" label="First page" placeholder="1" />
      </SimpleGrid>
    </Stack>
  );
}
