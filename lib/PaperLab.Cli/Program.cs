Console.WriteLine("paperlab");
